/** Options of the strict client, and their checks. Source: docs/reference/pylibmc.md#2.2. */

import { integer, type NegativeTimeout } from '../pipeline/exptime.js'
import { checkTimeout } from '../pipeline/methods/arguments.js'
import type { ServerSpec } from '../pipeline/slots.js'
import { OverflowError, ValueError } from '../python/errors.js'
import { isPlain, ownOptions } from '../python/options.js'
import { shownAsPython } from '../python/shown.js'
import { typeName } from '../python/type-name.js'
import { addressName } from '../transport/address.js'
import type { Connect, Tls } from '../transport/socket.js'
import type { ValueEncoding } from '../values/types.js'
import type { BehaviorSettings } from './behaviors.js'

/** Options of the constructor: pylibmc's keywords and further ones (docs/reference/pylibmc.md#2; docs/strict.md). */
export interface ClientOptions {
  /** pylibmc's behaviors, by their Python names. */
  readonly behaviors?: BehaviorSettings | undefined
  /** Speaks the binary protocol. Default false. */
  readonly binary?: boolean | undefined
  /** The same by name: `binary` is `binary: true`. Default `text`. */
  readonly protocol?: 'text' | 'binary' | undefined
  /** SASL PLAIN, binary protocol only; with `password`. */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /**
   * Allows `username` and `password` to be sent unencrypted to another machine. Default false: without `tls` they are sent only to the local machine
   * (127.0.0.0/8, ::1, localhost, Unix sockets).
   */
  readonly plaintextPassword?: boolean | undefined
  /** Encrypts the connections (memcached `-Z`): `true`, or options of `node:tls`. Default: not. */
  readonly tls?: Tls | undefined
  /** Negative times act like zero (pylibmc's documentation, the default), or are sent as by version 1.6.3. */
  readonly negativeTimeout?: NegativeTimeout | undefined
  /** Milliseconds for a whole operation: connecting, queueing, sending, waiting. Default: `_poll_timeout` (5000). */
  readonly timeout?: number | undefined
  /** Values are read as Python's types (`PyFloat`, `PyTuple`, every dict a Map), so that 1.0 stays a float. Default false. */
  readonly preserve?: boolean | undefined
  /** Replaces pylibmc's value encoding. */
  readonly encoding?: ValueEncoding | undefined
  /**
   * After the server has closed an idle connection: `fail` (default) makes the next operation fail with ConnectionError, as
   * pylibmc does; `reopen` opens a new connection instead.
   */
  readonly staleConnection?: 'fail' | 'reopen' | undefined
  /** Operations that may be under way on one server: sent and unanswered. Default 10,000. */
  readonly maxInFlight?: number | undefined
  /**
   * Bytes of the longest command line: a getMulti of more keys is sent in several lines. Text protocol only. Default 16,384, the limit of
   * ElastiCache Serverless; memcached itself accepts any length.
   */
  readonly maxCommandLine?: number | undefined
  /**
   * The treatment of further operations: with `wait` (default) they wait, within their timeout, until others have been answered;
   * with `reject` they fail at once with AllocationError, and nothing is sent.
   */
  readonly whenFull?: 'wait' | 'reject' | undefined
  /**
   * Milliseconds, 0 to 10: the longest time after a write for which the event loop keeps turning instead of sleeping until the reply comes. Calls to a server
   * on the same machine or in the same rack then take less time, and the process uses more of its core
   * (docs/performance.md#an-event-loop-that-stays-awake). Default 0: the loop sleeps.
   */
  readonly busyPoll?: number | undefined
  /** Clock in seconds, for tests and audits. Default: the system clock. */
  readonly now?: (() => number) | undefined
  /** Opens the connection to a server, for tests and audits (docs/server.md). Default: over the network. */
  readonly connect?: Connect | undefined
}

const optionNames = Object.keys({
  behaviors: true,
  binary: true,
  protocol: true,
  tls: true,
  username: true,
  plaintextPassword: true,
  password: true,
  negativeTimeout: true,
  timeout: true,
  preserve: true,
  encoding: true,
  staleConnection: true,
  maxCommandLine: true,
  maxInFlight: true,
  whenFull: true,
  busyPoll: true,
  now: true,
  connect: true,
} satisfies Record<keyof ClientOptions, true>)

/** Beside a reply that takes this many milliseconds, the time of waking up does not matter. */
const LONGEST_BUSY_POLL = 10

/** Room for one key of 250 bytes in every command. */
const SHORTEST_LINE = 512

/** A copy of the given options with nothing from a prototype. @throws TypeError, OverflowError, ValueError */
export function checkedClientOptions(given: ClientOptions): ClientOptions {
  const options = named(ownOptions(given, optionNames))
  checkCredentials(options)
  checkChoices(options)
  return options
}

/** `protocol` as `binary`. @throws ValueError */
function named(given: ClientOptions): ClientOptions {
  const { protocol } = given
  const options = { __proto__: null, ...given, protocol: undefined }
  if (protocol === undefined) return options
  const meta = ['meta', 'auto'].includes(protocol)
  if (meta)
    throw new ValueError(
      `protocol '${protocol}' was removed: no operation was faster with it than with 'text'`,
    )
  oneOf('protocol', protocol, ['text', 'binary'])
  const binary = protocol === 'binary'
  if (options.binary !== undefined && Boolean(options.binary) !== binary)
    throw new ValueError(
      `protocol '${protocol}' and binary ${shownAsPython(options.binary)} contradict each other`,
    )
  return { ...options, binary, __proto__: null } as ClientOptions
}

/** @throws TypeError, OverflowError as the C constructor does (docs/reference/pylibmc.md#2.2) */
function checkCredentials({ binary = false, username, password }: ClientOptions): void {
  const byte = integer(binary)
  if (byte < 0 || byte > 255) throw new OverflowError(`binary ${byte} does not fit an unsigned byte`)
  for (const credential of [username, password]) {
    if (credential !== undefined && credential !== null && typeof credential !== 'string')
      throw new TypeError(`username and password must be text, not ${typeName(credential)}`)
  }
  if ((username === undefined) !== (password === undefined)) {
    throw new TypeError('SASL requires both username and password')
  }
  if (username !== undefined && !binary) throw new TypeError('SASL requires the memcached binary protocol')
}

/** @throws ValueError when a password would be sent unencrypted to another machine */
export function checkPlaintext(specs: readonly ServerSpec[], options: ClientOptions): void {
  const { username, tls, plaintextPassword } = options
  if (plaintextPassword !== undefined && typeof plaintextPassword !== 'boolean')
    throw new TypeError(`plaintextPassword is ${shownAsPython(plaintextPassword)}, neither true nor false`)
  if (username === undefined || username === '' || tls !== undefined || plaintextPassword) return
  const away = specs.find(({ address }) => address.transport === 'tcp' && !isThisMachine(address.host))
  if (away)
    throw new ValueError(
      `the password would go unencrypted to ${addressName(away.address)}: set the option tls, or plaintextPassword when that is meant`,
    )
}

function isThisMachine(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** @throws ValueError, TypeError naming the option and its allowed values */
function checkChoices(options: ClientOptions): void {
  const { timeout, maxCommandLine, maxInFlight, busyPoll, preserve, tls, encoding, now } = options
  if (timeout !== undefined) checkTimeout(timeout)
  oneOf('negativeTimeout', options.negativeTimeout, ['zero', 'send'])
  oneOf('staleConnection', options.staleConnection, ['fail', 'reopen'])
  oneOf('whenFull', options.whenFull, ['wait', 'reject'])
  if (maxInFlight !== undefined && !(Number.isInteger(maxInFlight) && maxInFlight > 0))
    throw new ValueError(`maxInFlight ${shownAsPython(maxInFlight)} is not a whole number above 0`)
  if (maxCommandLine !== undefined && !(Number.isInteger(maxCommandLine) && maxCommandLine >= SHORTEST_LINE))
    throw new ValueError(
      `maxCommandLine ${shownAsPython(maxCommandLine)} is not a whole number from ${SHORTEST_LINE} on`,
    )
  if (
    busyPoll !== undefined &&
    !(typeof busyPoll === 'number' && busyPoll >= 0 && busyPoll <= LONGEST_BUSY_POLL)
  )
    throw new ValueError(
      `busyPoll ${shownAsPython(busyPoll)} is not a number of milliseconds from 0 to ${LONGEST_BUSY_POLL}`,
    )
  if (preserve !== undefined && typeof preserve !== 'boolean')
    throw new TypeError(`preserve must be a boolean, not ${shownAsPython(preserve)}`)
  if (tls !== undefined && tls !== true && !isPlain(tls))
    throw new TypeError(`tls must be true or an object of options, not ${shownAsPython(tls)}`)
  if (encoding !== undefined && !isEncoding(encoding))
    throw new TypeError(`encoding must have the functions encode and decode, not ${shownAsPython(encoding)}`)
  for (const [name, value] of Object.entries({ now, connect: options.connect }))
    if (value !== undefined && typeof value !== 'function')
      throw new TypeError(`${name} must be a function, not ${shownAsPython(value)}`)
}

function isEncoding(value: unknown): boolean {
  const { encode, decode } = Object(value) as Partial<ValueEncoding>
  return typeof encode === 'function' && typeof decode === 'function'
}

function oneOf(name: string, value: unknown, choices: readonly unknown[]): void {
  if (value !== undefined && !choices.includes(value))
    throw new ValueError(`${name} ${shownAsPython(value)} is not one of ${choices.join(', ')}`)
}
