/**
 * The items of a memcached: expiry, CAS uniques, flush_all, eviction. No I/O; time comes from the caller.
 * Facts: docs/reference/pylibmc.md#8, docs/reference/python-memcached.md#11, and memcached 1.6.18 itself (fixtures/conversations).
 */
import type { Bytes } from '../../ground/bytes.js'
import type { StoreCommand } from '../commands/command.js'
import type { MetaFlags } from '../commands/meta-flags.js'
import { unsigned64 } from '../commands/numbers.js'
import type { ServerFacts } from '../versions.js'
import { type Counters, zeroCounters } from './counters.js'
import { Lifetimes } from './lifetimes.js'
import { type Linked, LruList } from './lru-list.js'
import { chunkSizes, classOf, isChunked, itemSize, largestItem, type SlabCounter, Slabs } from './slabs.js'

export interface StoredItem extends Linked<StoredItem> {
  readonly key: Bytes
  readonly flags: number
  /** The value with its CRLF. It is a string, because a Buffer takes 300 bytes more, and an audit stores hundreds of thousands of items. */
  data: Bytes
  cas: number | bigint
  /** Unix time in seconds; 0: never. */
  exptime: number
  /** When it was stored, Unix time in seconds. */
  time: number
  readonly size: number
  fetched: boolean
  /** When it was used last, Unix time in seconds. */
  used: number
  /** Marked as stale by `md` with I: the first client that gets the item is asked to renew it. */
  stale: boolean
  /** Whether a client has been asked to renew it. */
  tokenSent: boolean
}

export interface StoreOptions {
  /** Unix time in seconds. */
  readonly clock: () => number
  /** Bytes for items. */
  readonly memory: number
  /** Whether old items are evicted for new ones. Otherwise storing fails. */
  readonly evict: boolean
  readonly facts: ServerFacts
}

export type StoreResult =
  | 'STORED'
  | 'NOT_STORED'
  | 'EXISTS'
  | 'NOT_FOUND'
  | 'too large'
  | 'no memory'
  | 'no memory during read'
export type CountResult = bigint | 'NOT_FOUND' | 'EXISTS' | 'not numeric' | 'no memory'

/** Further options of counters in binary requests. */
export interface CountOptions {
  /** The command applies only if the item has this CAS unique. */
  readonly cas?: bigint | undefined
  /** The initial value and time of a missing item. */
  readonly initial?: { readonly value: bigint; readonly exptime: number } | undefined
}

const crlf = '\r\n'
/** A number after any blanks of C, followed by the end, a blank or a NUL. */
const numeric = /^[\t-\r ]*([+-]?\d+)(?=[\t-\r \0])/

export class Store {
  counters: Counters = { ...zeroCounters }
  readonly slabs: Slabs
  /** One LRU list per slab class. */
  readonly lists: readonly LruList<StoredItem>[] = chunkSizes.map(() => new LruList())
  bytes = 0
  readonly times: Lifetimes
  private readonly items = new Map<Bytes, StoredItem>()
  private lastCas: number

  constructor(private readonly options: StoreOptions) {
    this.slabs = new Slabs(options.memory)
    this.lastCas = options.facts.firstCas - 1
    this.times = new Lifetimes(options.clock, options.facts)
  }

  get count(): number {
    return this.items.size
  }

  /** @param data the value with its CRLF; absent when it was too long to be kept */
  store(command: StoreCommand, data: Bytes | undefined): StoreResult {
    const { key, verb } = command
    const size = itemSize(key.length, command.flags, command.length)
    if (data === undefined || size > largestItem) {
      this.counters.store_too_large++
      // A set that fails removes the old value; other commands keep it.
      if (verb === 'set') this.unlinkKey(key)
      return 'too large'
    }
    // The memory of the new item is taken before that of the old one is freed.
    if (!this.makeRoom(size)) {
      // A large item gets its memory while it is read; then the old one stays.
      if (isChunked(size)) return 'no memory during read'
      this.counters.store_no_memory++
      if (verb === 'set') this.unlinkKey(key)
      return 'no memory'
    }
    this.slabs.give(size)
    this.tally('cmd_set', size)
    return this.decide(command, data)
  }

  private decide(command: StoreCommand, data: Bytes): StoreResult {
    const { key, verb } = command
    const old = this.find(key)
    switch (verb) {
      case 'add':
        if (old) {
          this.bump(old)
          return 'NOT_STORED'
        }
        break
      case 'replace':
        if (!old) return 'NOT_STORED'
        break
      case 'cas':
        if (!old) {
          this.counters.cas_misses++
          return 'NOT_FOUND'
        }
        if (BigInt(old.cas) !== command.cas) {
          if (command.allowStale && command.cas! < BigInt(old.cas)) {
            const made = this.link(command, this.times.expiry(command.exptime), data, old)
            if (made) made.stale = true
            return made ? 'STORED' : 'no memory'
          }
          this.tally('cas_badval', old.size)
          return 'EXISTS'
        }
        this.tally('cas_hits', old.size)
        break
      case 'append':
      case 'prepend': {
        if (!old) {
          if (command.vivify) break
          return 'NOT_STORED'
        }
        if (command.cas !== undefined && BigInt(old.cas) !== command.cas) return 'EXISTS'
        const [first, second] = verb === 'append' ? [old.data, data] : [data, old.data]
        const joined = flat(first.slice(0, -2) + second)
        const made = this.link({ ...command, flags: old.flags }, old.exptime, joined, old)
        return made ? 'STORED' : 'NOT_STORED'
      }
    }
    return this.link(command, this.times.expiry(command.exptime), data, old) ? 'STORED' : 'no memory'
  }

  /** The item for a retrieval, which counts as a use. */
  get(key: Bytes): StoredItem | undefined {
    const item = this.find(key)
    this.countRetrieval(item, false)
    if (item) this.use(item)
    return item
  }

  /** @param exptime as sent, see `StoreCommand` */
  touch(key: Bytes, exptime: number): StoredItem | undefined {
    const item = this.find(key)
    this.countRetrieval(item, true)
    if (item) {
      item.exptime = this.times.touched(exptime)
      this.use(item)
    }
    return item
  }

  /** Counts a get or a touch with its result. */
  countRetrieval(item: StoredItem | undefined, touches: boolean): void {
    this.counters[touches ? 'cmd_touch' : 'cmd_get']++
    if (item) this.tally(touches ? 'touch_hits' : 'get_hits', item.size)
    else this.counters[touches ? 'touch_misses' : 'get_misses']++
  }

  /** Marks the item as used now. */
  use(item: StoredItem): void {
    item.fetched = true
    item.used = this.times.now()
    this.bump(item)
  }

  /** Creates an empty item for a key that has none. @param exptime as sent */
  vivify(key: Bytes, exptime: number, newCas?: bigint): StoredItem | undefined {
    return this.link({ key, flags: 0, newCas }, this.times.expiry(exptime), crlf, undefined)
  }

  /** Removes the value and keeps the item. @param time as sent */
  empty(item: StoredItem, { clientFlags, time, newCas }: MetaFlags): StoredItem {
    const { key, cas } = item
    const exptime = time === undefined ? 0 : this.times.expiry(time)
    const made = { key, flags: clientFlags, newCas: newCas ?? cas }
    return this.link(made, exptime, crlf, item) ?? item
  }

  /** Marks the item as stale: the next client that gets it is asked to renew it. @param time as sent */
  markStale(item: StoredItem, { time, newCas }: MetaFlags): void {
    if (time !== undefined) item.exptime = this.times.expiry(time)
    item.stale = true
    item.tokenSent = false
    item.cas = newCas ?? ++this.lastCas
  }

  /** @param cas the CAS unique that the item must have */
  delete(key: Bytes, cas?: bigint): 'DELETED' | 'NOT_FOUND' | 'EXISTS' {
    const item = this.find(key)
    if (!item) {
      this.counters.delete_misses++
      return 'NOT_FOUND'
    }
    if (cas !== undefined && BigInt(item.cas) !== cas) return 'EXISTS'
    this.tally('delete_hits', item.size)
    this.unlink(item)
    return 'DELETED'
  }

  /** The CAS unique of an existing item. */
  unique(key: Bytes): number | bigint | undefined {
    return this.items.get(key)?.cas
  }

  addDelta(
    key: Bytes,
    verb: 'incr' | 'decr',
    delta: bigint,
    { cas, initial }: CountOptions = {},
  ): CountResult {
    const item = this.find(key)
    if (!item) {
      if (initial) return this.begin(key, initial)
      this.counters[verb === 'incr' ? 'incr_misses' : 'decr_misses']++
      return 'NOT_FOUND'
    }
    if (cas !== undefined && BigInt(item.cas) !== cas) return 'EXISTS'
    const value = numberIn(item.data)
    if (value === undefined) return 'not numeric'
    this.tally(verb === 'incr' ? 'incr_hits' : 'decr_hits', item.size)
    const sum = verb === 'incr' ? BigInt.asUintN(64, value + delta) : value > delta ? value - delta : 0n
    const digits = sum.toString()
    const width = item.data.length - 2
    if (digits.length <= width) {
      item.data = `${digits.padEnd(width)}\r\n`
      item.cas = ++this.lastCas
      return sum
    }
    const data = `${digits}\r\n`
    return this.link(item, item.exptime, data, item) ? sum : 'no memory'
  }

  private begin(key: Bytes, { value, exptime }: NonNullable<CountOptions['initial']>): CountResult {
    const data = `${value}\r\n`
    return this.link({ key, flags: 0 }, this.times.expiry(exptime), data, undefined) ? value : 'no memory'
  }

  /** @param delay as sent, see `StoreCommand`; 0 or less = now */
  flush(delay: number): void {
    this.counters.cmd_flush++
    this.times.flush(delay, () => ++this.lastCas)
  }

  /** Removes expired items, as memcached's crawler does since 1.5. Only `stats` shows it. */
  crawl(): void {
    const now = this.times.now()
    for (const item of this.items.values()) if (this.times.isGone(item, now)) this.unlink(item)
  }

  resetCounters(): void {
    this.counters = { ...zeroCounters }
    this.slabs.resetHits()
  }

  private tally(name: SlabCounter, size: number): void {
    this.counters[name]++
    this.slabs.classes[classOf(size)]!.hits[name]++
  }

  /** The item, if it has not expired. Statistics do not change. */
  find(key: Bytes): StoredItem | undefined {
    const item = this.items.get(key)
    if (!item) return undefined
    const now = this.times.now()
    if (this.times.isFlushed(item, now)) this.counters.get_flushed++
    else if (item.exptime !== 0 && item.exptime <= now) this.counters.get_expired++
    else return item
    this.unlink(item)
    return undefined
  }

  /** The item that a command has just created, even if it has already expired. */
  made(key: Bytes): StoredItem | undefined {
    return this.items.get(key)
  }

  private link(
    { key, flags, newCas }: Pick<StoreCommand, 'key' | 'flags'> & { newCas?: number | bigint | undefined },
    exptime: number,
    data: Bytes,
    old: StoredItem | undefined,
  ): StoredItem | undefined {
    const size = itemSize(key.length, flags, data.length - 2)
    if (size > largestItem || !this.makeRoom(size)) return undefined
    // The eviction for the new item may have removed it.
    if (old && this.items.get(key) === old) this.unlink(old)
    const now = this.times.now()
    const item: StoredItem = {
      key,
      flags,
      data,
      exptime,
      size,
      cas: newCas ?? ++this.lastCas,
      time: now,
      used: now,
      fetched: false,
      stale: false,
      tokenSent: false,
      older: undefined,
      newer: undefined,
    }
    this.items.set(key, item)
    this.lists[classOf(size)]!.add(item)
    this.bytes += size
    this.counters.total_items++
    return item
  }

  private makeRoom(size: number): boolean {
    const own = this.lists[classOf(size)]!
    for (let full = this.slabs.take(size); full !== undefined; full = this.slabs.take(size)) {
      const oldest = this.lists[full]!.oldest ?? own.oldest
      if (!oldest) return false
      const now = this.times.now()
      if (!this.times.isGone(oldest, now)) {
        if (!this.options.evict) return false
        this.counters.evictions++
        if (!oldest.fetched) this.counters.evicted_unfetched++
      }
      this.unlink(oldest)
    }
    return true
  }

  private bump(item: StoredItem): void {
    this.lists[classOf(item.size)]!.use(item)
  }

  private unlinkKey(key: Bytes): void {
    const item = this.items.get(key)
    if (item) this.unlink(item)
  }

  private unlink(item: StoredItem): void {
    this.items.delete(item.key)
    this.lists[classOf(item.size)]!.remove(item)
    this.slabs.give(item.size)
    this.bytes -= item.size
  }
}

/** Whether a data block ends with CRLF. */
export function endsInLineEnd(data: Bytes): boolean {
  return data.endsWith(crlf)
}

/** Copies a text into one piece. V8 otherwise keeps the pieces of a joined string, and the strings that the pieces were cut from. */
function flat(bytes: Bytes): Bytes {
  return Buffer.from(bytes, 'latin1').toString('latin1')
}

/** The number at the start of a value, if C's strtoull accepts it. Blanks after it are padding. */
function numberIn(data: Bytes): bigint | undefined {
  if (data.length <= 2 || data.length > largestItem / 2) return undefined
  const [, digits] = numeric.exec(data) ?? []
  if (digits === undefined) return undefined
  return unsigned64(digits)
}
