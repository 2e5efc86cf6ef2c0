/** pylibmc's server specifications. Source: docs/reference/pylibmc.md#2.1. */

import { MemcachedError, NotSupportedError } from '../pipeline/failures/errors.js'
import type { ServerSpec } from '../pipeline/slots.js'
import { AttributeError, ValueError } from '../python/errors.js'
import { typeName } from '../python/type-name.js'

/** `"h"`, `"h:port"`, `"h:port:weight"`, `"[v6]:port:weight"`, `"/path"`, or the 3-tuple `(type, host, port)`. */
export type ServerSpecInput = string | readonly [type: number, host: string, port: number]

const DEFAULT_PORT = 11211
const TCP = 1
const UDP = 2
const UNIX = 4

/**
 * A client's list of servers (docs/reference/pylibmc.md#2.1).
 * @throws TypeError when it is not a list of specs; ValueError, AttributeError, MemcachedError (empty list), NotSupportedError (udp)
 */
export function parseServers(servers: Iterable<ServerSpecInput>): ServerSpec[] {
  const specs = serverInputs(servers).map(parseServer)
  if (specs.length === 0) throw new MemcachedError('empty server list')
  if (new Set(specs.map(({ address }) => address.transport)).size > 1)
    throw new ValueError("can't mix transport types")
  return specs
}

/** The list as given, iterated once. @throws TypeError */
export function serverInputs(servers: Iterable<ServerSpecInput>): ServerSpecInput[] {
  const many = typeof servers === 'string' || (typeof servers === 'object' && servers !== null)
  if (many && Symbol.iterator in Object(servers)) return [...servers]
  throw new TypeError(`servers must be a list of servers: '${typeName(servers)}' object is not iterable`)
}

/** One server specification of docs/reference/pylibmc.md#2.1. @throws ValueError, TypeError, AttributeError, NotSupportedError (`udp:`) */
export function parseServer(spec: ServerSpecInput): ServerSpec {
  if (typeof spec === 'string') return parseText(spec)
  if (Array.isArray(spec)) return parseTuple(spec)
  if ((spec as unknown) instanceof Uint8Array)
    throw new TypeError('a server is text or a (type, host, port) tuple, not bytes')
  throw new AttributeError(`'${typeName(spec)}' object has no attribute 'startswith'`)
}

function parseText(spec: string): ServerSpec {
  if (spec.startsWith('udp:')) throw udp(spec)
  if (spec.startsWith('/')) return { address: { transport: 'unix', path: spec }, weight: 1 }
  let host: string
  let rest: string[]
  if (spec.startsWith('[')) {
    const end = spec.indexOf(']')
    if (end < 0) throw new ValueError(spec)
    host = spec.slice(1, end)
    const after = spec.slice(end + 1)
    rest = after === '' ? [] : after.replace(/^:/, '').split(':')
  } else {
    ;[host = '', ...rest] = spec.split(':')
  }
  if (rest.length > 2) throw invalid(spec, rest.slice(1).join(':'))
  const [port = DEFAULT_PORT, weight = 1] = rest.map((number) => integer(spec, number))
  return tcp(host, port, weight)
}

function parseTuple(spec: readonly unknown[]): ServerSpec {
  if (spec.length !== 3) throw new AttributeError("'tuple' object has no attribute 'startswith'")
  const [type, host, port] = spec
  if (!Number.isInteger(type) || typeof host !== 'string' || !Number.isInteger(port)) {
    throw new TypeError('a server tuple is (type: number, host: string, port: number)')
  }
  const kind = (type as number) & 0xff
  if (kind === TCP) return tcp(host, port as number, 1)
  if (kind === UDP) throw udp(host)
  if (kind !== UNIX) throw new ValueError(`bad type: ${kind}`)
  if (port !== 0) throw new ValueError("can't set port on unix sockets")
  return { address: { transport: 'unix', path: host }, weight: 1 }
}

function tcp(host: string, port: number, weight: number): ServerSpec {
  // Ports and weights are reduced to 16 bits, as in the library.
  return {
    address: { transport: 'tcp', host: host || 'localhost', port: port & 0xffff },
    weight: weight & 0xffff || 1,
  }
}

/** Python's int(text): blanks around, one sign. */
function integer(spec: string, text: string): number {
  if (!/^\s*[+-]?\d+(?:_\d+)*\s*$/.test(text)) throw invalid(spec, text)
  return Number(text.replaceAll('_', ''))
}

function invalid(spec: string, text: string): ValueError {
  return new ValueError(
    `invalid literal for int() with base 10: '${text}' in server ${JSON.stringify(spec)}${hint(spec)}`,
  )
}

/** A hint for python-memcached's grammar, which names the family of the address. */
function hint(spec: string): string {
  const [, family, rest] = /^(unix|inet6?):(.+)$/s.exec(spec) ?? []
  return family === undefined ? '' : `: pylibmc has no '${family}:', write ${JSON.stringify(rest)}`
}

function udp(spec: string): NotSupportedError {
  return new NotSupportedError(
    `server ${JSON.stringify(spec)}: UDP is not supported; pylibmc itself can only write over it, without confirmation`,
  )
}
