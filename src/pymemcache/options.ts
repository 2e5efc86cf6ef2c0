/** Constructor options of pymemcache's clients. Source: docs/reference/pymemcache.md#2. */

import { shown } from '../ground/arguments.js'
import type { Bytes } from '../ground/bytes.js'
import { ValueError } from '../python/errors.js'
import { ownOptions } from '../python/options.js'
import { type Codec, codecNames } from '../python/text.js'
import type { ServerAddress } from '../transport/address.js'
import type { Connect, Tls } from '../transport/socket.js'
import { prefixBytes } from './keys.js'
import { plainSerde, type Serde } from './serde.js'

/** How numbers, and data that is not bytes, are written. No server understands numbers in UTF-16 or UTF-32. */
export type Encoding = Codec

/** pymemcache's keywords in camelCase. */
export interface ClientOptions {
  /** Converts values to bytes and flags. Default: every value as Python's text of it, read as bytes. */
  readonly serde?: Serde | null | undefined
  /** Seconds for opening a connection; null (default) = no limit. */
  readonly connectTimeout?: number | null | undefined
  /** Seconds for a whole operation; null (default) = no limit. pymemcache limits every single wait. */
  readonly timeout?: number | null | undefined
  /** TCP_NODELAY. Default false, as in pymemcache. */
  readonly noDelay?: boolean | undefined
  /** Failures of reading calls are misses. Default false. */
  readonly ignoreExc?: boolean | undefined
  /** Put before every key. */
  readonly keyPrefix?: string | Uint8Array | undefined
  /** Whether storage, delete, touch and flushAll are sent with noreply. Default true. */
  readonly defaultNoreply?: boolean | undefined
  /** Text keys are UTF-8. Default false: only ASCII. */
  readonly allowUnicodeKeys?: boolean | undefined
  /** Default ascii. */
  readonly encoding?: Encoding | undefined
  readonly tls?: Tls | null | undefined
  /** The address of a server for this process, by its name in the placement: `{ 'cache-1:11211': '127.0.0.1:21211' }`. */
  readonly addresses?: Readonly<Record<string, string>> | undefined
  /** Opens the connection to a server, for tests and audits (docs/server.md). Default: over the network. */
  readonly connect?: Connect | undefined
}

export const clientOptionNames = Object.keys({
  serde: true, connectTimeout: true, timeout: true, noDelay: true, ignoreExc: true, keyPrefix: true, defaultNoreply: true,
  allowUnicodeKeys: true, encoding: true, tls: true, addresses: true, connect: true,
} satisfies Record<keyof ClientOptions, true>) // biome-ignore format: one list

export interface Settings {
  readonly serde: Serde
  /** Milliseconds. */
  readonly connectTimeout: number
  readonly timeout: number
  readonly noDelay: boolean
  readonly ignoreExc: boolean
  readonly keyPrefix: Bytes
  readonly defaultNoreply: boolean
  readonly allowUnicodeKeys: boolean
  readonly encoding: Encoding
  readonly tls: Tls | undefined
  readonly connect: Connect | undefined
}

/** Milliseconds that stand for no limit: 300 years. */
const FOREVER = 1e13

/** @throws TypeError, ValueError naming the option */
export function settingsOf(given: ClientOptions, names: readonly string[] = clientOptionNames): Settings {
  const options = ownOptions(given, names)
  const { encoding = 'ascii', noDelay = false, ignoreExc = false, allowUnicodeKeys = false } = options
  const serde = options.serde ?? plainSerde
  if (typeof serde.serialize !== 'function' || typeof serde.deserialize !== 'function')
    throw new TypeError(`serde must have serialize and deserialize, not be ${shown(serde)}`)
  if (!codecNames.includes(encoding))
    throw new ValueError(`encoding ${shown(encoding)} is not one of ${codecNames.join(', ')}`)
  return {
    serde,
    encoding,
    noDelay: flag('noDelay', noDelay),
    ignoreExc: flag('ignoreExc', ignoreExc),
    allowUnicodeKeys: flag('allowUnicodeKeys', allowUnicodeKeys),
    defaultNoreply: flag('defaultNoreply', options.defaultNoreply ?? true),
    connectTimeout: milliseconds('connectTimeout', options.connectTimeout),
    timeout: milliseconds('timeout', options.timeout),
    keyPrefix: prefixBytes(options.keyPrefix),
    tls: options.tls ?? undefined,
    connect: connectOf(options.connect),
  }
}

function connectOf(connect: unknown): Connect | undefined {
  if (connect === undefined || typeof connect === 'function') return connect as Connect | undefined
  throw new TypeError(`connect must be a function, not ${shown(connect)}`)
}

function flag(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new TypeError(`${name} must be true or false, not ${shown(value)}`)
}

function milliseconds(name: string, seconds: unknown): number {
  if (seconds === undefined || seconds === null) return FOREVER
  if (typeof seconds !== 'number')
    throw new TypeError(`${name} must be a number of seconds, not ${shown(seconds)}`)
  if (!(seconds > 0) || !Number.isFinite(seconds))
    throw new ValueError(`${name} ${shown(seconds)} is not a number of seconds above 0`)
  return seconds * 1000
}

/**
 * A value with which Python cannot compare a number, such as None: for audits. Each comparison throws.
 * @internal
 */
export class Uncomparable {
  constructor(readonly error: Error) {}

  valueOf(): never {
    throw this.error
  }
}

/** An option that is compared with a time or a count. @throws TypeError */
export function compared(name: string, given: unknown, usual: number): number {
  if (given === undefined) return usual
  if (typeof given === 'number' || given instanceof Uncomparable) return given as number
  throw new TypeError(`${name} must be a number, not ${shown(given)}`)
}

/** A server: its name in placement and errors, and its address. */
export interface ServerSpec {
  readonly name: string
  readonly address: ServerAddress
}

/** `host`, `host:port`, `[v6]:port`, a socket path or `unix:/path` (docs/reference/pymemcache.md#3). */
export type ServerInput = string | readonly [host: string, port: number]

const DEFAULT_PORT = 11211

/** @throws ValueError for a value that is not a server */
export function parseServer(
  server: ServerInput,
  addresses: Readonly<Record<string, string>> = {},
): ServerSpec {
  const spec = specOf(server)
  const elsewhere = Object.hasOwn(addresses, spec.name) ? addresses[spec.name] : undefined
  return elsewhere === undefined ? spec : { name: spec.name, address: specOf(elsewhere).address }
}

function specOf(server: ServerInput): ServerSpec {
  if (Array.isArray(server) && server.length === 2) {
    const [host, port] = server as readonly unknown[]
    if (typeof host === 'string' && typeof port === 'number') return tcp(host, port)
  }
  if (typeof server !== 'string') throw new ValueError(`Unsupported server specification: ${shown(server)}`)
  const path = server.startsWith('unix:') ? server.slice(5) : server
  if (path !== server || server.startsWith('/')) return { name: path, address: { transport: 'unix', path } }
  if (!server.includes(':') || server.endsWith(']')) return tcp(bare(server), DEFAULT_PORT)
  const colon = server.lastIndexOf(':')
  const port = server.slice(colon + 1)
  if (!/^\s*\d+\s*$/.test(port)) throw new ValueError(`invalid literal for int() with base 10: '${port}'`)
  return tcp(bare(server.slice(0, colon)), Number(port))
}

const bare = (host: string): string => (host.startsWith('[') ? host.replace(/^[[\]]+|[[\]]+$/g, '') : host)

function tcp(host: string, port: number): ServerSpec {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new ValueError(`port ${shown(port)} is not a whole number from 0 to 65535`)
  return { name: `${host}:${port}`, address: { transport: 'tcp', host, port } }
}
