/** Operations that ask every server, no key choosing one. Source: docs/reference/pylibmc.md#5.7. */

import type { Request } from '../protocol/requests.js'
import * as requests from '../protocol/requests.js'
import type { LineReply, Reply, StatsReply } from '../protocol/wire.js'
import { ownOptions } from '../python/options.js'
import { type CallOptions, optionNames, type Time, type TimeOptions, timeOf } from './arguments.js'
import { errorFor, MemcachedError, SomeErrors } from './errors.js'
import { integer } from './exptime.js'
import { badKey } from './keys.js'
import { Many } from './many.js'
import { wasUnwritten } from './pipeline.js'
import { flushOutcome, replyError } from './replies.js'
import type { Modes, Server } from './slots.js'

const PARAMETER = 38

export class Administration extends Many {
  /** Names of options beyond those of the call itself. */
  protected get furtherOptions(): readonly string[] {
    return []
  }

  /**
   * The options of a call as they are now, their own properties alone; a time in their place is left to the time rule.
   * @throws TypeError for what is no plain object, and for unknown names
   */
  protected own<O>(options: O, names: readonly string[]): O {
    if (options === undefined) return options
    // Where a time may stand everything else is judged as a time.
    if (typeof options !== 'object' && names.includes('time')) return options
    const known = this.furtherOptions.length === 0 ? names : [...names, ...this.furtherOptions]
    return ownOptions(options as object, known) as O
  }

  /**
   * Invalidates every item of every server, now or after `time` seconds (docs/reference/pylibmc.md#5.7).
   * @throws SomeErrors when a server fails, the others were flushed; TypeError for the time
   */
  async flushAll(given: Time | TimeOptions = 0): Promise<true> {
    const time = this.own(given, optionNames.time)
    const modes = this.modes(time)
    const seconds = BigInt(integer(timeOf(time), 'time'))
    const request = requests.flushAll(this.slots.wire, seconds > 0n ? seconds : undefined, modes.noreply)
    /** libmemcached does not look at the replies in the binary protocol (docs/reference/pylibmc.md#5.7); its last words are about them. */
    const unread: MemcachedError[] = []
    const results = await this.askEvery(request, 'flushAll', modes, async (asked, server) => {
      try {
        const reply = await asked
        if (!modes.noreply && !modes.binary) flushOutcome(reply as LineReply, { server: server.name })
      } catch (error) {
        if (!(error instanceof MemcachedError) || !modes.binary || wasUnwritten(error)) throw error
        unread[server.index] = error
      }
    })
    throwSomeErrors('flushAll', results, unread.at(-1))
    return true
  }

  /**
   * The same request to every server. They are connected one after the other, as libmemcached does: what a failure leads to already
   * counts for the next.
   */
  private async askEvery<T>(
    request: Request,
    operation: 'flushAll' | 'getStats',
    modes: Modes,
    take: (asked: Promise<Reply>, server: Server) => Promise<T>,
  ): Promise<PromiseSettledResult<T>[]> {
    const timed = this.within(modes)
    const call = {}
    const outcomes: Promise<T>[] = []
    for (const server of this.selection.servers) {
      try {
        await this.selection.admit(server, operation)
        await this.selection.connect?.(server, operation, timed, call)
        const asked = this.exchange(server, request, operation, undefined, timed, (reply) => reply)
        outcomes.push(take(asked, server))
      } catch (error) {
        outcomes.push(Promise.reject(error))
      }
      outcomes.at(-1)!.catch(() => undefined)
    }
    return Promise.allSettled(outcomes)
  }

  /**
   * Statistics of every server: `[["host:port (index)", { name: value }], …]`, everything the server sends (docs/reference/pylibmc.md#5.7).
   * @throws SomeErrors when a server fails; TypeError, BadKeyProvided, MemcachedError (38) for the argument
   */
  async getStats(
    argument?: string,
    options?: CallOptions,
  ): Promise<[server: string, stats: Record<string, string>][]> {
    const modes = this.modes(this.own(options, optionNames.call))
    if (argument !== undefined && typeof argument !== 'string') throw new TypeError('argument must be text')
    if (argument === '' || (argument?.length ?? 0) >= 250) throw badKey('', 'getStats')
    const request = requests.stats(this.slots.wire, argument)
    const results = await this.askEvery(
      request,
      'getStats',
      modes,
      async (asked, server): Promise<[string, Record<string, string>]> => {
        const { stats, end } = (await asked) as StatsReply
        if (end.status === 'ERROR' && !modes.binary)
          throw errorFor(PARAMETER, 'getStats', undefined, { server: server.name, reply: end.line })
        if (end.status !== 'END' && end.status !== 'OK' && end.status !== 'STORED') {
          throw replyError(end, 'getStats', { server: server.name })
        }
        return [statsName(server), Object.fromEntries(stats)]
      },
    )
    const refused = results.find((result) => result.status === 'rejected' && result.reason.code === PARAMETER)
    if (refused) throw (refused as PromiseRejectedResult).reason
    throwSomeErrors('getStats', results)
    return results.map((result) => (result as PromiseFulfilledResult<[string, Record<string, string>]>).value)
  }
}

function throwSomeErrors(
  operation: 'flushAll' | 'getStats',
  results: readonly PromiseSettledResult<unknown>[],
  unread?: MemcachedError,
): void {
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (errors.length === 0) return
  const unexpected = errors.find((error) => !(error instanceof MemcachedError))
  if (unexpected !== undefined) throw unexpected
  const name = operation === 'flushAll' ? 'flush_all' : 'get_stats'
  // libmemcached tells of the last one.
  const last = unread ?? errors.at(-1)
  const said = /^error \d+ from \w+(: .*)$/s.exec(last.message)?.[1] ?? ''
  throw new SomeErrors(`error 19 from ${name}${said}`, {
    operation,
    server: last.server,
    reply: last.reply,
    cause: errors.length === 1 ? errors[0] : new AggregateError(errors),
  })
}

function statsName({ address, index }: Server): string {
  return address.transport === 'unix'
    ? `${address.path}:0 (${index})`
    : `${address.host}:${address.port} (${index})`
}
