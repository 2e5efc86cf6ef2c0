/** python-memcached's server specifications. Source: spec/python-memcached §4. */
import { OverflowError, ValueError } from '../python/errors.js'
import type { ServerSpec } from '../strict/index.js'
import { PyTuple } from '../values/index.js'

/** `"host"`, `"host:port"`, `"inet:…"`, `"inet6:[addr]:port"`, `"unix:path"`, or any of these with a weight. */
export type CompatServerInput = string | readonly [spec: string, weight: number]

const DEFAULT_PORT = 11211

/** @throws ValueError (cannot be parsed), TypeError (no specification), OverflowError (port over 65535) */
export function parseCompatServer(input: unknown): ServerSpec {
  const pair = input instanceof PyTuple ? input.items : Array.isArray(input) ? input : undefined
  if (!pair) return { address: parseText(input), weight: 1 }
  if (pair.length !== 2) throw new ValueError(`a server pair has 2 elements, not ${pair.length}`)
  const weight = typeof pair[1] === 'boolean' ? Number(pair[1]) : pair[1]
  if (typeof weight !== 'number' || !Number.isInteger(weight))
    throw new TypeError('the weight of a server must be an integer')
  return { address: parseText(pair[0]), weight }
}

function parseText(spec: unknown): ServerSpec['address'] {
  if (typeof spec !== 'string')
    throw new TypeError(`a server is a string, not ${spec === null ? 'None' : typeof spec}`)
  if (spec.startsWith('unix:')) return { transport: 'unix', path: spec.slice('unix:'.length) }
  const six = /^inet6:\[([^[\]]+)\](?::(\d+))?$/.exec(spec)
  if (six) return { transport: 'tcp', host: six[1]!, port: port(spec, six[2]), family: 6 }
  if (spec.startsWith('inet6:')) throw invalid(spec)
  const four = /^(?:inet:)?([^:]+)(?::(\d+))?\n?$/.exec(spec)
  if (!four) throw invalid(spec)
  return { transport: 'tcp', host: four[1]!, port: port(spec, four[2]), family: 4 }
}

function port(spec: string, text: string | undefined): number {
  const number = Number(text ?? DEFAULT_PORT)
  if (number > 65535) throw new OverflowError(`server ${JSON.stringify(spec)}: port must be 0-65535`)
  return number
}

function invalid(spec: string): ValueError {
  return new ValueError(`Unable to parse connection string: "${spec}"`)
}
