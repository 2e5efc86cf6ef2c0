/** flush_all and the statistics, server by server as in python-memcached. Source: docs/reference/python-memcached.md#10.6, #13.1. */

import { MemcachedError, SomeErrors } from '../../pipeline/failures/errors.js'
import { timeOf } from '../../pipeline/methods/arguments.js'
import type { Time, TimeOptions } from '../../pipeline/methods/index.js'
import * as pylibmc from '../../pipeline/methods/index.js'
import { flushOutcome } from '../../pipeline/replies.js'
import type { Server } from '../../pipeline/slots.js'
import { exchange } from '../../pipeline/tracing.js'
import * as requests from '../../protocol/requests.js'
import type { LineReply, StatsReply } from '../../protocol/wire.js'
import { AttributeError, IndexError, OverflowError, UnicodeDecodeError } from '../../python/errors.js'
import { bytesRepr } from '../../python/repr.js'
import { TransportError } from '../../transport/errors.js'
import { asIs } from '../../transport/types.js'
import { Raised, raises } from '../divergence/divergence.js'
import { answered, closedUnderDebug, socketError, swallowed, transportKind } from '../policies/outcomes.js'
import type { UnreadRequest } from '../serial/connection.js'
import { checkedOptions } from './call-options.js'
import type { Context } from './context.js'
import { stalled } from './retrieval.js'
import { lacksStatsArgument, missingMethod, mustHave } from './surface.js'

type Stats = Record<string, string>

/** null, or true with `return-values` off. @throws PythonSocketError; with `errors` off as pylibmc's; TypeError for a time */
export async function flushAll(context: Context, time: Time | TimeOptions | undefined): Promise<null | true> {
  const { emulation, pipeline } = context
  if (emulation.rules.failures === 'swallowed') {
    if (time !== undefined && timeOf(checkedOptions(emulation, 'flushAll', time)) !== 0)
      throw new TypeError('flush_all takes no time in python-memcached')
    await flushEvery(context)
  } else await pylibmc.flushAll(pipeline, time)
  if (emulation.rules.results !== 'numbers') return true
  emulation.announcer.heard?.announce('return-values', {
    operation: 'flushAll',
    compat: 'None',
    strict: 'True',
  })
  return null
}

/** Flushes one server after another; servers that are down are skipped. @throws PythonSocketError */
async function flushEvery({ emulation, pipeline }: Context): Promise<void> {
  const modes = pipeline.slots.modes()
  const request = requests.flushAll(pipeline.slots.wire)
  for (const server of pipeline.selection.servers) {
    try {
      const reply = (await pipeline.ask(server, request, 'flushAll', modes)) as LineReply
      flushOutcome(reply, { server: server.name })
    } catch (error) {
      if (error instanceof OverflowError) throw error
      const seen = new SomeErrors('error 19 from flush_all', {
        operation: 'flushAll',
        server: server.name,
        cause: error,
      })
      if (closedUnderDebug(emulation, 'flushAll', error))
        throw new AttributeError("'str' object has no attribute 'decode'")
      const escaped = socketError(emulation, error)
      swallowed(emulation, 'errors', 'flushAll', undefined, seen, escaped ? raises(escaped) : null)
      if (escaped) throw escaped
    }
  }
}

/** One server after another; the answers are ignored. @throws PythonSocketError */
export async function quitAll({ emulation, pipeline }: Context): Promise<void> {
  const { slots, selection } = pipeline
  if (emulation.rules.failures !== 'swallowed') return selection.disconnectAll()
  const request = requests.flushAll({ ...slots.wire, flushAll: 'quit' })
  for (const server of selection.servers) {
    if (server.exchange.state !== 'ready') continue
    try {
      await exchange(server, request, 'flushAll', slots.modes(), asIs)
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      const escaped = socketError(emulation, new Error('quit', { cause: error }))
      if (escaped) throw escaped
    }
    server.exchange.close(false)
  }
}

/** @throws IndexError for a reply that is not statistics; PythonSocketError */
export async function getStats(context: Context, argument: string | undefined): Promise<[string, Stats][]> {
  if (context.emulation.rules.statistics !== 'python-memcached')
    return pylibmc.getStats(context.pipeline, argument)
  if (argument !== undefined && argument !== null && typeof argument !== 'string')
    throw new TypeError('stat_args must be text')
  lacksStatsArgument(context.emulation, argument)
  const { announcer } = context.emulation
  announcer.heard?.announce('statistics', {
    operation: 'getStats',
    compat: 'names servers "host:port (weight)"',
    strict: 'names servers "host:port (index)"',
  })
  return everyServer(context, argument || undefined, (stats) => Object.fromEntries(stats))
}

type SlabStats = Record<string, string | Stats>

/** Statistics by slab class. Up to 1.59 python-memcached's method cannot work on Python 3. @throws TypeError there */
export async function getSlabStats(context: Context): Promise<[string, SlabStats][]> {
  const { emulation } = context
  if (emulation.rules.statistics !== 'python-memcached') throw missingMethod('get_slab_stats')
  mustHave(emulation, 'getSlabStats')
  if (!emulation.rules.readsSlabStats) return asked(context, 'slabs')
  return everyServer(context, 'slabs', (stats) => {
    const slabs: SlabStats = {}
    for (const [name, value] of stats) {
      const [slab, field] = name.split(':', 2) as [string, string | undefined]
      if (field === undefined) slabs[name] = value
      else slabs[slab] = { ...(slabs[slab] as Stats | undefined), [field]: value }
    }
    return slabs
  })
}

/** Statistics of items by slab class, up to 1.54. On Python 3 the method cannot work. @throws TypeError there; AttributeError as pylibmc */
export async function getSlabs(context: Context): Promise<[string, Record<string, Stats>][]> {
  const { emulation } = context
  if (emulation.rules.statistics !== 'python-memcached') throw missingMethod('get_slabs')
  if (emulation.rules.python === 3) return asked(context, 'items')
  return everyServer(context, 'items', (stats) => {
    const slabs: Record<string, Stats> = {}
    for (const [name, value] of stats) {
      const [, slab, field] = name.split(':', 3) as [string, string, string]
      slabs[slab] = { ...slabs[slab], [field]: value }
    }
    return slabs
  })
}

/** On Python 3 the request is sent to the first server, and its reply cannot be split. @throws TypeError when there is a server */
async function asked(context: Context, argument: string): Promise<[]> {
  context.emulation.announcer.heard?.announce('statistics', {
    operation: 'getStats',
    compat: new Raised('TypeError'),
    strict: new Raised('AttributeError'),
  })
  const { pipeline, emulation } = context
  const modes = pipeline.slots.modes()
  const request = requests.stats(pipeline.slots.wire, argument)
  // Out of step the whole reply stays unread.
  const unread: UnreadRequest = { ...request, unread: emulation.rules.getsOutOfStep }
  for (const server of pipeline.selection.servers) {
    try {
      await pipeline.ask(server, unread, 'getStats', modes)
    } catch (error) {
      if (!(error instanceof MemcachedError)) throw error
      continue
    }
    throw new TypeError("a bytes-like object is required, not 'str'")
  }
  return []
}

async function everyServer<T>(
  context: Context,
  argument: string | undefined,
  shape: (stats: StatsReply['stats']) => T,
): Promise<[string, T][]> {
  const { emulation, pipeline } = context
  const request = requests.stats(pipeline.slots.wire, argument)
  const modes = pipeline.slots.modes()
  const rows: [string, T][] = []
  for (const server of pipeline.selection.servers) {
    try {
      const { stats, end } = (await pipeline.ask(server, request, 'getStats', modes)) as StatsReply
      if (stats.length > 0 || end.line !== '') checkMixed(context, server)
      if (end.status !== 'END' && end.line !== '') {
        // A line of three words is taken for a statistic, and reading continues.
        const waits = end.line.split(' ').length > 2
        const timeout = waits ? await stalled(context, server, 'getStats', end.line) : undefined
        if (timeout) throw pipeline.selection.failed(server, timeout, 'getStats', undefined)
        emulation.announcer.heard?.announce('statistics', {
          operation: 'getStats',
          server: server.name,
          compat: new Raised('IndexError'),
          strict: end.status === 'ERROR' ? new Raised('MemcachedError', 38) : new Raised('SomeErrors', 19),
        })
        throw new IndexError('list index out of range')
      }
      if (emulation.rules.python === 3) readable(stats)
      rows.push([serverName(server), shape(stats)])
    } catch (error) {
      if (error instanceof IndexError || error instanceof UnicodeDecodeError) throw error
      if (error instanceof OverflowError || error instanceof TypeError) throw error
      const seen = new SomeErrors('error 19 from get_stats', {
        operation: 'getStats',
        server: server.name,
        cause: error,
      })
      const escaped = socketError(emulation, error)
      swallowed(
        emulation,
        'statistics',
        'getStats',
        undefined,
        seen,
        escaped ? raises(escaped) : 'leaves it out',
      )
      if (escaped) throw escaped
      // A connection that closed in the middle leaves what had been read; a server that is down is left out.
      if (transportKind(error) === 'closed' || answered(error)) rows.push([serverName(server), shape([])])
    }
  }
  return rows
}

/** 1.55 to 1.57 split bytes by text. @throws TypeError */
function checkMixed({ emulation }: Context, server: Server): void {
  if (!emulation.rules.mixesText) return
  emulation.announcer.heard?.announce('bytes-and-text', {
    operation: 'getStats',
    server: server.name,
    compat: new Raised('TypeError'),
    strict: 'returns statistics',
  })
  throw new TypeError("a bytes-like object is required, not 'str'")
}

/** @throws UnicodeDecodeError for anything but ASCII */
function readable(stats: StatsReply['stats']): void {
  for (const words of stats)
    for (const word of words)
      if (/[\x80-\xff]/.test(word))
        throw new UnicodeDecodeError(`'ascii' codec can't decode byte in ${bytesRepr(word)}`)
}

function serverName({ address, weight }: Server): string {
  if (address.transport === 'unix') return `unix:${address.path} (${weight})`
  const host = address.family === 6 ? `[${address.host}]` : address.host
  return `${host}:${address.port} (${weight})`
}
