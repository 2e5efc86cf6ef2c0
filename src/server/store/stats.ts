/** Replies to `stats` with and without arguments. Facts: memcached 1.6.18. No I/O. */
import type { Bytes } from '../../ground/bytes.js'
import type { ServerFacts } from '../versions.js'
import { chunkSizes, perPage } from './slabs.js'
import { generalStats, settingsStats } from './stats-general.js'
import type { Store } from './store.js'

export type Stat = readonly [name: string, value: string | number]

/** The facts of a server that its store does not have. */
export interface Environment {
  /** Open connections. */
  readonly connections: number
  readonly host: string
  readonly port: number
  readonly path?: string
  readonly evict: boolean
  readonly facts: ServerFacts
}

/** Statistics of an LRU in three parts, which this server does not have. */
const otherItemStats =
  'evicted evicted_nonzero evicted_time outofmemory tailrepairs reclaimed expired_unfetched evicted_unfetched evicted_active crawler_reclaimed crawler_items_checked lrutail_reflocked moves_to_cold moves_to_warm moves_within_lru direct_reclaims hits_to_hot hits_to_warm hits_to_cold hits_to_temp'.split(
    ' ',
  )

/** @param words after `stats` */
export function stats(store: Store, words: readonly Bytes[], environment: Environment): Bytes {
  switch (words[0]) {
    case 'reset':
      store.resetCounters()
      return 'RESET\r\n'
    case 'detail':
      return detail(words[1])
    case 'cachedump':
      return 'CLIENT_ERROR stats cachedump not allowed\r\n'
    default: {
      const rows = statistics(store, words[0], environment)
      return rows ? lines(rows) : 'ERROR\r\n'
    }
  }
}

/** The statistics of that name; undefined if the name is unknown. */
export function statistics(
  store: Store,
  name: Bytes | undefined,
  environment: Environment,
): readonly Stat[] | undefined {
  switch (name) {
    case undefined:
      return generalStats(store, environment)
    case 'settings':
      return settingsStats(store, environment)
    case 'items':
      return itemStats(store)
    case 'slabs':
      return slabStats(store)
    case 'sizes':
      return [['sizes_status', 'disabled']]
    default:
      return undefined
  }
}

function lines(stats: readonly Stat[]): Bytes {
  return `${stats.map(([name, value]) => `STAT ${name} ${value}\r\n`).join('')}END\r\n`
}

function itemStats(store: Store): Stat[] {
  return store.lists.flatMap((list, i): Stat[] => {
    if (list.size === 0) return []
    const of = (name: string, value: number): Stat => [`items:${i + 1}:${name}`, value]
    let requested = 0
    let oldest = Number.POSITIVE_INFINITY
    for (const { size, time } of list.values()) {
      requested += size
      oldest = Math.min(oldest, time)
    }
    return [
      of('number', list.size),
      of('number_hot', 0),
      of('number_warm', 0),
      of('number_cold', list.size),
      of('age_hot', 0),
      of('age_warm', 0),
      of('age', store.times.now() - oldest),
      of('mem_requested', requested),
      ...otherItemStats.map((name) => of(name, 0)),
    ]
  })
}

function slabStats(store: Store): Stat[] {
  const active = store.slabs.classes.filter(({ pages }) => pages > 0)
  return [
    ...store.slabs.classes.flatMap(({ pages, used, hits }, i): Stat[] => {
      if (pages === 0) return []
      const of = (name: string, value: number): Stat => [`${i + 1}:${name}`, value]
      const total = pages * perPage(i)
      return [
        of('chunk_size', chunkSizes[i]!),
        of('chunks_per_page', perPage(i)),
        of('total_pages', pages),
        of('total_chunks', total),
        of('used_chunks', used),
        of('free_chunks', total - used),
        of('free_chunks_end', 0),
        ...Object.entries(hits).map(([name, value]) => of(name, value)),
      ]
    }),
    ['active_slabs', active.length],
    ['total_malloced', store.slabs.pages * 1024 * 1024],
  ]
}

/** There are no statistics by key prefix, so that the dump is empty. */
function detail(word: Bytes | undefined): Bytes {
  if (word === 'on' || word === 'off') return 'OK\r\n'
  return word === 'dump' ? 'END\r\n' : 'CLIENT_ERROR usage: stats detail on|off|dump\r\n'
}
