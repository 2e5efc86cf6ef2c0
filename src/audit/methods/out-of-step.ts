/**
 * Connections of pylibmc that are one reply behind: every reply answers the call before it. The server's second error line for a store
 * command that it refused leaves a connection like that (keys with blanks, a CAS unique of 0), and so does a reply that libmemcached
 * could not read to its end (keys with control characters).
 * Source: docs/reference/pylibmc.md#3.4, #5.5; measured (`fixtures/vectors/calling-forms.json`, `calling-forms-odd-keys.json.gz`).
 */
import type { Outcome } from '../compare/outcome.js'

/** The reply that waits on a connection: the error line, a miss, a part of an item that is not a reply, an item, or one whose effect was not measured. */
export type Waiting = 'ERROR' | 'END' | 'fragment' | { readonly value: Outcome } | 'unknown'

/** The outcome of a call with a key that pylibmc sends unchecked. */
export interface UncheckedKeyOutcome {
  readonly outcome: Outcome
  /** Servers whose connection has replies waiting afterwards, with the first of them. */
  readonly outOfStep: readonly (readonly [server: number, waiting: Waiting])[]
  /** Servers whose connection was closed, so that the next one is in step. */
  readonly closed?: readonly number[]
  /** The outcome is not known, because it was not measured. */
  readonly uncertain?: boolean
}

const stores = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas', 'delete'])

const retrievals = new Set(['get', 'gets', 'get_multi'])

const unreadable: Outcome = {
  raises: { class: 'pylibmc.UnknownReadFailure', retcode: 7, message: 'a part of an item as a reply' },
}

/** Calls that talk to every server. */
const everywhere = new Set(['flush_all', 'get_stats'])

export interface Shifted {
  readonly outcome: Outcome
  /** The real outcome is not known, because it was not measured. */
  readonly uncertain: boolean
}

export class OutOfStep {
  private readonly waiting = new Map<number, Waiting>()

  get any(): boolean {
    return this.waiting.size > 0
  }

  mark(server: number, waiting: Waiting = 'ERROR'): void {
    if (!this.waiting.has(server)) this.waiting.set(server, waiting)
  }

  /** Keeps the replies that a call left on connections. */
  take({ outOfStep, closed = [] }: UncheckedKeyOutcome): void {
    for (const server of closed) this.waiting.delete(server)
    for (const [server, waiting] of outOfStep) this.mark(server, waiting)
  }

  /** disconnect_all closes the connections; the next ones are in step. */
  clear(): void {
    this.waiting.clear()
  }

  /** The outcome of a call that reads a waiting reply instead of its own. */
  shift(call: string, servers: readonly number[], own: Outcome): Shifted | undefined {
    // libmemcached refuses the call before it sends anything: the reply still waits.
    if ('raises' in own && own.raises.class === 'pylibmc.AllocationError') return undefined
    if (everywhere.has(call) && this.any) return { outcome: own, uncertain: true }
    const [server] = servers
    const waiting = server === undefined ? undefined : this.waiting.get(server)
    if (!servers.some((index) => this.waiting.has(index))) return undefined
    if (servers.length !== 1 || waiting === undefined || waiting === 'unknown')
      return { outcome: own, uncertain: true }
    if (waiting === 'fragment') {
      // libmemcached reads a waiting reply before it requests items, or as the answer to another command; then it closes the connection.
      this.waiting.delete(server!)
      if (retrievals.has(call)) return undefined
      return { outcome: unreadable, uncertain: call.endsWith('_multi') }
    }
    this.waiting.set(server!, call === 'get' ? replyOf(own) : 'unknown')
    if (call === 'get') {
      if (waiting === 'ERROR' || waiting === 'END') return { outcome: { result: null }, uncertain: false }
      return { outcome: waiting.value, uncertain: false }
    }
    if (waiting === 'ERROR' && stores.has(call))
      return {
        outcome: {
          raises: {
            class: 'pylibmc.SocketCreateError',
            retcode: 11,
            message: 'a reply to an earlier command',
          },
        },
        uncertain: false,
      }
    if (typeof waiting === 'object' && stores.has(call))
      return {
        outcome: {
          raises: {
            class: 'process.abort',
            message: 'an item as the reply to a store command: the process ends',
          },
        },
        uncertain: false,
      }
    return { outcome: own, uncertain: true }
  }
}

function replyOf(outcome: Outcome): Waiting {
  if ('raises' in outcome) return 'unknown'
  return outcome.result === null ? 'END' : { value: outcome }
}
