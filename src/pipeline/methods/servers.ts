/** pylibmc's flush_all and get_stats, which send a request to every server. Source: docs/reference/pylibmc.md#5.7. */

import type { Request } from '../../protocol/requests.js'
import * as requests from '../../protocol/requests.js'
import type { LineReply, Reply, StatsReply } from '../../protocol/wire.js'
import { SystemError } from '../../python/errors.js'
import { hostAndPort } from '../../transport/address.js'
import { integer } from '../exptime.js'
import { errorFor, MemcachedError, SomeErrors } from '../failures/errors.js'
import { wasUnwritten } from '../failures/transport-failures.js'
import { badKey } from '../keys.js'
import type { Pipeline } from '../pipeline.js'
import { flushOutcome, replyError } from '../replies.js'
import type { Modes, Server } from '../slots.js'
import { type CallOptions, optionNames, type Time, type TimeOptions, timeOf } from './arguments.js'

/** `["host:port (index)", { name: value }]`. */
export type ServerStats = [server: string, stats: Record<string, string>]

/** libmemcached's return code of a wrong argument. */
const PARAMETER = 38

export async function flushAll(pipeline: Pipeline, given: Time | TimeOptions = 0): Promise<true> {
  const time = pipeline.options(given, optionNames.time)
  const modes = pipeline.modes(time)
  const seconds = BigInt(integer(timeOf(time), 'flush_all() argument 1'))
  if (BigInt.asIntN(64, seconds) !== seconds)
    throw new SystemError(
      "<method 'flush_all' of 'client' objects> returned a result with an exception set: the time does not fit a signed 64-bit number",
    )
  const request = requests.flushAll(pipeline.slots.wire, seconds > 0n ? seconds : undefined, modes.noreply)
  /** libmemcached does not check the replies in the binary protocol (docs/reference/pylibmc.md#5.7); its message is about them. */
  const unread: MemcachedError[] = []
  const results = await askEvery(pipeline, request, 'flushAll', modes, async (asked, server) => {
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
 * The same request to every server. They are connected one after the other, as libmemcached does: a failure already
 * counts for the next.
 */
async function askEvery<T>(
  pipeline: Pipeline,
  request: Request,
  operation: 'flushAll' | 'getStats',
  modes: Modes,
  take: (asked: Promise<Reply>, server: Server) => Promise<T>,
): Promise<PromiseSettledResult<T>[]> {
  const { selection } = pipeline
  const timed = pipeline.within(modes)
  const call = {}
  const outcomes: Promise<T>[] = []
  for (const server of selection.servers) {
    try {
      await selection.admit(server, operation)
      await selection.connect?.(server, operation, timed, call)
      const asked = pipeline.exchange(server, request, operation, undefined, timed, (reply) => reply)
      outcomes.push(take(asked, server))
    } catch (error) {
      outcomes.push(Promise.reject(error))
    }
    outcomes.at(-1)!.catch(() => undefined)
  }
  return Promise.allSettled(outcomes)
}

export async function getStats(
  pipeline: Pipeline,
  argument: string | undefined,
  options?: CallOptions,
): Promise<ServerStats[]> {
  const modes = pipeline.modes(pipeline.options(options, optionNames.call))
  if (argument !== undefined && typeof argument !== 'string') throw new TypeError('argument must be text')
  if (argument === '' || (argument?.length ?? 0) >= 250) throw badKey('', 'getStats')
  const request = requests.stats(pipeline.slots.wire, argument)
  const results = await askEvery(
    pipeline,
    request,
    'getStats',
    modes,
    async (asked, server): Promise<ServerStats> => {
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
  return results.map((result) => (result as PromiseFulfilledResult<ServerStats>).value)
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
  // libmemcached reports the last one.
  const last = unread ?? errors.at(-1)
  throw errorFor(SomeErrors.retcode, operation, last.detail, {
    server: last.server,
    reply: last.reply,
    cause: errors.length === 1 ? errors[0] : new AggregateError(errors),
  })
}

function statsName({ address, index }: Server): string {
  const { host, port } = hostAndPort(address)
  return `${host}:${port} (${index})`
}
