/** python-memcached's server specifications. Source: docs/reference/python-memcached.md#4. */

import type { ServerSpec } from '../../pipeline/slots.js'
import { ValueError } from '../../python/errors.js'
import type { Rules } from '../../rules/index.js'
import { PyTuple } from '../../values/index.js'

/** `"host"`, `"host:port"`, `"inet:…"`, `"inet6:[addr]:port"`, `"unix:path"`, or any of these with a weight. */
export type CompatServerInput = string | readonly [spec: string, weight: number]

const DEFAULT_PORT = 11211

/**
 * @param withoutPort the exception of the version for a server without a port
 * @throws ValueError (cannot be parsed), TypeError (no specification)
 */
export function parseCompatServer(input: unknown, withoutPort?: Rules['withoutPort']): ServerSpec {
  const pair = input instanceof PyTuple ? input.items : Array.isArray(input) ? input : undefined
  if (!pair) return { address: parseText(input, withoutPort), weight: 1 }
  if (pair.length !== 2) throw new ValueError(`a server pair has 2 elements, not ${pair.length}`)
  const weight = typeof pair[1] === 'boolean' ? Number(pair[1]) : pair[1]
  if (typeof weight !== 'number' || !Number.isInteger(weight))
    throw new TypeError('the weight of a server must be an integer')
  return { address: parseText(pair[0], withoutPort), weight }
}

function parseText(spec: unknown, withoutPort: Rules['withoutPort']): ServerSpec['address'] {
  if (typeof spec !== 'string')
    throw new TypeError(`a server is a string, not ${spec === null ? 'None' : typeof spec}`)
  if (spec.startsWith('unix:')) return { transport: 'unix', path: spec.slice('unix:'.length) }
  const six = /^inet6:\[([^[\]]+)\](?::(\d+))?$/.exec(spec)
  if (six) return { transport: 'tcp', host: six[1]!, port: port(six[2]), family: 6 }
  if (spec.startsWith('inet6:')) throw invalid(spec)
  const four = /^(?:inet:)?([^:]+)(?::(\d+))?\n?$/.exec(spec)
  if (!four) throw invalid(spec)
  if (four[2] === undefined && withoutPort === 'ValueError') throw invalid(spec)
  if (four[2] === undefined && withoutPort === 'TypeError')
    throw new TypeError("int() argument must be a string or a number, not 'NoneType'")
  return { transport: 'tcp', host: four[1]!, port: port(four[2]), family: 4 }
}

/** A port over 65535 is an error only when a connection is opened. */
function port(text: string | undefined): number {
  return Number(text ?? DEFAULT_PORT)
}

function invalid(spec: string): ValueError {
  return new ValueError(`Unable to parse connection string: "${spec}"`)
}
