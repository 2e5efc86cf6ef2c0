/** The options of a connection, with their defaults. */
import { shown } from '../ground/arguments.js'
import type { ParserLimits, Protocol } from '../protocol/protocol.js'
import { isPlain } from '../python/options.js'
import type { BusyPoll } from './busy-poll.js'
import type { CallerWatch } from './pending.js'
import type { Connect, Tls } from './socket.js'

export interface ConnectionOptions {
  /** Default: the text protocol. */
  readonly protocol?: Protocol | undefined
  /** Encrypts the connection. Default: not. */
  readonly tls?: Tls | undefined
  /** Opens the socket. Default: TCP, Unix or TLS, as the address and `tls` say. */
  readonly connect?: Connect | undefined
  /** Milliseconds for a whole operation: connecting, queueing, sending and waiting. Default 5000. */
  readonly timeout?: number | undefined
  /** Milliseconds for opening the connection, within the operation's deadline. Default 4000. */
  readonly connectTimeout?: number | undefined
  /** TCP_NODELAY. Default true: the requests of a turn of the event loop are sent in one write anyway. */
  readonly noDelay?: boolean | undefined
  /** SO_KEEPALIVE. Default false. */
  readonly keepAlive?: boolean | undefined
  readonly limits?: ParserLimits | undefined
  /**
   * The treatment of a connection that the server closed while no request was waiting. `fail`: the next operation fails with
   * `closed`, as with the Python libraries, which detect it only then; a request without reply counts as sent, as the system accepts it, and
   * the one after it fails. `reopen` (default): the next operation opens a new connection.
   */
  readonly stale?: 'fail' | 'reopen' | undefined
  /**
   * With `stale: 'fail'`: bytes of a request that the system accepts before it detects that the server has closed the connection. The sending
   * of a longer one fails (`reset`). Default: any.
   */
  readonly closedTakes?: number | undefined
  /** Requests that may be written and unanswered. Default 10,000. */
  readonly maxInFlight?: number | undefined
  /** The treatment of further requests: they wait for their turn (default), or are rejected with `overload`. */
  readonly whenFull?: 'wait' | 'reject' | undefined
  /** Shared by the connections of a client. Default: one of its own. */
  readonly callers?: CallerWatch | undefined
  /** Keeps the event loop turning while replies are expected; shared by the connections of a client. Default: the loop sleeps. */
  readonly busyPoll?: BusyPoll | undefined
}

/** The longest time of Node's timers, in milliseconds. */
const longestTimeout = 2 ** 31 - 1

/**
 * Checks options of the functions that open a connection of their own.
 * @throws TypeError, RangeError naming the option
 */
export function checkConnecting({ timeout, tls }: Pick<ConnectionOptions, 'timeout' | 'tls'>): void {
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0 && timeout <= longestTimeout))
    throw new RangeError(
      `timeout is ${shown(timeout)}, not a number of milliseconds above 0, at most ${longestTimeout}`,
    )
  if (tls !== undefined && tls !== true && !isPlain(tls))
    throw new TypeError(`tls is ${shown(tls)}, neither true nor an object of options`)
}
