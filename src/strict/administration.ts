/** Operations that ask every server, no key choosing one. Source: docs/reference/pylibmc.md#5.7. */

import * as requests from '../protocol/requests.js'
import type { LineReply, StatsReply } from '../protocol/wire.js'
import { ownOptions } from '../python/options.js'
import { type CallOptions, optionNames, type Time, type TimeOptions, timeOf } from './arguments.js'
import { neverSent, resetWhileIdle, wentStale } from './core.js'
import { errorFor, MemcachedError, SomeErrors } from './errors.js'
import { integer } from './exptime.js'
import { badKey } from './keys.js'
import { Many } from './many.js'
import { flushOutcome, replyError } from './replies.js'
import type { Server } from './slots.js'

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
    const results = await Promise.allSettled(
      this.selection.servers.map(async (server) => {
        const asked = this.ask(server, request, 'flushAll', modes)
        // libmemcached does not look at the replies in the binary protocol (docs/reference/pylibmc.md#5.7).
        const reply = await (modes.binary ? asked.catch(unlessUnsent) : asked)
        if (!modes.noreply && !modes.binary) flushOutcome(reply as LineReply, { server: server.name })
      }),
    )
    throwSomeErrors('flushAll', results)
    return true
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
    const results = await Promise.allSettled(
      this.selection.servers.map(async (server): Promise<[string, Record<string, string>]> => {
        const { stats, end } = (await this.ask(server, request, 'getStats', modes)) as StatsReply
        if (end.status === 'ERROR' && !modes.binary)
          throw errorFor(PARAMETER, 'getStats', undefined, { server: server.name, reply: end.line })
        if (end.status !== 'END' && end.status !== 'OK' && end.status !== 'STORED') {
          throw replyError(end, 'getStats', { server: server.name })
        }
        return [statsName(server), Object.fromEntries(stats)]
      }),
    )
    const refused = results.find((result) => result.status === 'rejected' && result.reason.code === PARAMETER)
    if (refused) throw (refused as PromiseRejectedResult).reason
    throwSomeErrors('getStats', results)
    return results.map((result) => (result as PromiseFulfilledResult<[string, Record<string, string>]>).value)
  }
}

/** What happened after a request had left is not told. */
function unlessUnsent(error: unknown): undefined {
  if (!(error instanceof MemcachedError)) throw error
  if (resetWhileIdle(error) || (neverSent(error) && !wentStale(error))) throw error
}

function throwSomeErrors(
  operation: 'flushAll' | 'getStats',
  results: readonly PromiseSettledResult<unknown>[],
): void {
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  if (errors.length === 0) return
  const unexpected = errors.find((error) => !(error instanceof MemcachedError))
  if (unexpected !== undefined) throw unexpected
  const name = operation === 'flushAll' ? 'flush_all' : 'get_stats'
  const said = /^error \d+ from \w+(: .*)$/s.exec(errors[0].message)?.[1] ?? ''
  throw new SomeErrors(`error 19 from ${name}${said}`, {
    operation,
    server: errors[0].server,
    reply: errors[0].reply,
    cause: errors.length === 1 ? errors[0] : new AggregateError(errors),
  })
}

function statsName({ address, index }: Server): string {
  return address.transport === 'unix'
    ? `${address.path}:0 (${index})`
    : `${address.host}:${address.port} (${index})`
}
