/** Counts items as they are listed, in memory that does not grow with their number. */

import { isUtf8 } from 'node:buffer'
import type { Bytes } from '../ground/bytes.js'
import { printable } from '../ground/printable.js'
import type { NamedPlacement } from '../hashing/index.js'
import type { ListedItem } from '../protocol/metadump.js'
import { keyRules } from './key-rules.js'
import { prefixOf } from './prefix.js'
import { readers } from './readers.js'
import {
  type KeyRow,
  type LargeRow,
  lifetimes,
  type PlacementReport,
  type PrefixRow,
  type UnreadableRow,
} from './report.js'
import { valueFacts } from './value-facts.js'
import { Verdict } from './verdict.js'

const mostPrefixes = 5000
const otherPrefixes = '(other prefixes)'
const mostFlags = 64
const mostExamples = 5
const mostLarge = 20
const mostClasses = 200
/** The part of the limit from which an item counts as large. */
const nearLimit = 0.8
/** The placements are computed for one item in this number, because hashing is the slowest part of a scan. */
const placedEvery = 16

/** An item that was chosen for the sample. */
export interface Chosen {
  readonly key: Bytes
  readonly prefix: string
  readonly size: number
}

interface Prefix {
  items: number
  bytes: number
  largest: number
  fetched: number
  readonly lifetimes: number[]
  never: number
  readonly flags: Map<number, number>
  /** By flags; −1 if the listing has none. */
  readonly chosen: Map<number, { seen: number; readonly items: Chosen[] }>
  sampled: number
  readonly verdict: Verdict
  readonly protocols: Map<string, number>
  readonly classes: Map<string, number>
}

export class Tally {
  private readonly prefixes = new Map<string, Prefix>()
  private readonly keys = keyRules.map(() => ({ items: 0, examples: [] as string[] }))
  private readonly agreement: number[]
  /** Items for which the placements were computed. */
  private placed = 0
  /** The placements, those with the most agreement first. */
  private likeliest: readonly NamedPlacement[]
  private readonly lost = { items: 0, examples: [] as { key: string; server: string }[] }
  private large: LargeRow[] = []
  private largeItems = 0
  private readonly unreadable = new Map<
    string,
    { sampled: number; readonly prefixes: Map<string, number>; example: string }
  >()
  items = 0
  bytes = 0
  sampled = 0

  /** @param perGroup values that are chosen for each prefix and flags */
  constructor(
    private readonly perGroup: number,
    private readonly placements: readonly NamedPlacement[],
    private readonly servers: readonly string[],
    private readonly now: number,
  ) {
    this.agreement = placements.map(() => 0)
    this.likeliest = placements
  }

  /** @param limit bytes of the server's largest item */
  add(item: ListedItem, server: number, limit: number | undefined): void {
    const { key, size, expires, flags, fetched } = item
    this.items++
    this.bytes += size
    const name = prefixOf(key)
    const prefix = this.prefix(name)
    prefix.items++
    prefix.bytes += size
    prefix.largest = Math.max(prefix.largest, size)
    if (fetched) prefix.fetched++
    if (expires === undefined) prefix.never++
    else {
      const left = expires - this.now
      prefix.lifetimes[lifetimes.findIndex(([bound]) => left < bound)]!++
    }
    if (flags !== undefined) {
      this.countFlags(prefix, flags)
      prefix.verdict.flags(flags, 1)
    }
    this.choose(prefix, name, item)
    this.checkKey(key)
    if (limit !== undefined && size >= nearLimit * limit)
      this.addLarge({ key: shownKey(key), server: this.servers[server]!, size, limit })
    if (this.placements.length > 0) this.place(key, server)
  }

  /** The chosen items of a server since the last call. */
  takeChosen(): readonly Chosen[] {
    const all: Chosen[] = []
    for (const prefix of this.prefixes.values()) {
      for (const { items } of prefix.chosen.values()) all.push(...items)
      prefix.chosen.clear()
    }
    return all
  }

  value({ key, prefix: name }: Chosen, flags: number, data: Buffer, flagsKnown: boolean): void {
    const prefix = this.prefix(name)
    const facts = valueFacts(flags, data)
    this.sampled++
    prefix.sampled++
    if (!flagsKnown) {
      this.countFlags(prefix, flags)
      prefix.verdict.flags(flags, 1)
    }
    prefix.verdict.value(flags, facts)
    if (facts.pickleProtocol !== undefined) increment(prefix.protocols, String(facts.pickleProtocol), 16)
    for (const name of facts.classes) increment(prefix.classes, name, mostClasses)
    for (const reader of readers) {
      const reason = reader.problem(flags, data, facts)
      if (reason === undefined) continue
      const id = `${reader.name}\n${reason}`
      const row = this.unreadable.get(id) ?? {
        sampled: 0,
        prefixes: new Map<string, number>(),
        example: shownKey(key),
      }
      row.sampled++
      increment(row.prefixes, name, mostPrefixes)
      if (this.unreadable.size < 500 || this.unreadable.has(id)) this.unreadable.set(id, row)
    }
  }

  prefixRows(): readonly PrefixRow[] {
    return [...this.prefixes]
      .map(([prefix, row]): PrefixRow => {
        const { writers, explained } = row.verdict.result()
        const byLifetime = lifetimes.map(([, name], i) => [name, row.lifetimes[i]!] as const)
        return {
          prefix: shownKey(prefix),
          items: row.items,
          bytes: row.bytes,
          largest: row.largest,
          fetched: row.fetched,
          lifetimes: Object.fromEntries(
            [['never expires', row.never] as const, ...byLifetime].filter(([, n]) => n > 0),
          ),
          flags: sorted(row.flags),
          writers,
          explained,
          sampled: row.sampled,
          pickleProtocols: Object.fromEntries([...row.protocols].sort()),
          classes: sorted(row.classes),
        }
      })
      .sort((a, b) => b.bytes - a.bytes)
  }

  unreadableRows(): readonly UnreadableRow[] {
    return [...this.unreadable]
      .map(([id, { sampled, prefixes, example }]): UnreadableRow => {
        const [reader = '', reason = ''] = id.split('\n')
        const items = [...prefixes].reduce((sum, [name, count]) => {
          const prefix = this.prefixes.get(name)
          return prefix ? sum + (prefix.items * count) / prefix.sampled : sum
        }, 0)
        const named = sorted(prefixes).map(([name]) => shownKey(name))
        return { reader, reason, sampled, items: Math.round(items), prefixes: named.slice(0, 10), example }
      })
      .sort((a, b) => b.items - a.items)
  }

  keyRows(): readonly KeyRow[] {
    return keyRules
      .map(({ name, meaning }, i): KeyRow => ({ rule: name, meaning, ...this.keys[i]! }))
      .filter(({ items }) => items > 0)
  }

  largeRows(): { readonly rows: readonly LargeRow[]; readonly items: number } {
    return { rows: this.large, items: this.largeItems }
  }

  placementReport(): PlacementReport | undefined {
    if (this.placements.length === 0) return undefined
    return {
      agreement: this.placements
        .map(({ name, title }, i) => ({
          placement: name,
          title,
          part: this.placed === 0 ? 0 : this.agreement[i]! / this.placed,
        }))

        .sort((a, b) => b.part - a.part),
      lost: this.lost.items,
      examples: this.lost.examples,
    }
  }

  private prefix(name: string): Prefix {
    const known = this.prefixes.get(name)
    if (known) return known
    if (this.prefixes.size >= mostPrefixes && name !== otherPrefixes) return this.prefix(otherPrefixes)
    const made: Prefix = {
      items: 0,
      bytes: 0,
      largest: 0,
      fetched: 0,
      lifetimes: lifetimes.map(() => 0),
      never: 0,
      flags: new Map(),
      chosen: new Map(),
      sampled: 0,
      verdict: new Verdict(),
      protocols: new Map(),
      classes: new Map(),
    }
    this.prefixes.set(name, made)
    return made
  }

  private countFlags(prefix: Prefix, flags: number): void {
    increment(prefix.flags, flags, mostFlags)
  }

  /** A reservoir for each prefix and flags: every item has the same chance. */
  private choose(prefix: Prefix, name: string, { key, size, flags = -1 }: ListedItem): void {
    if (this.perGroup === 0) return
    let group = prefix.chosen.get(flags)
    if (group === undefined) {
      if (prefix.chosen.size >= mostFlags) return
      group = { seen: 0, items: [] }
      prefix.chosen.set(flags, group)
    }
    // Without flags the kinds of values cannot be distinguished, so more are taken.
    const most = flags < 0 ? 4 * this.perGroup : this.perGroup
    group.seen++
    const place = group.items.length < most ? group.items.length : Math.floor(Math.random() * group.seen)
    if (place < most) group.items[place] = { key, prefix: name, size }
  }

  private checkKey(key: Bytes): void {
    for (const [i, rule] of keyRules.entries()) {
      if (!rule.breaks(key)) continue
      const row = this.keys[i]!
      row.items++
      if (row.examples.length < mostExamples) row.examples.push(shownKey(key))
    }
  }

  private addLarge(row: LargeRow): void {
    this.largeItems++
    if (this.large.length >= mostLarge && row.size <= this.large.at(-1)!.size) return
    this.large = [...this.large, row].sort((a, b) => b.size - a.size).slice(0, mostLarge)
  }

  private place(key: Bytes, server: number): void {
    const bytes = Buffer.from(key, 'latin1')
    const given = /[\x80-\xff]/.test(key) ? (isUtf8(bytes) ? bytes.toString('utf8') : bytes) : key
    if (this.items % placedEvery === 1) {
      let found = false
      this.placed++
      for (const [i, { place }] of this.placements.entries()) {
        if (place(given) !== server) continue
        this.agreement[i]!++
        found = true
      }
      this.likeliest = this.placements
        .map((placement, i) => ({ placement, count: this.agreement[i]! }))
        .sort((x, y) => y.count - x.count)
        .map(({ placement }) => placement)
      if (found) return
    } else if (this.likeliest.some(({ place }) => place(given) === server)) return
    this.lost.items++
    if (this.lost.examples.length < mostExamples)
      this.lost.examples.push({ key: shownKey(key), server: this.servers[server]! })
  }
}

function increment<Key>(counts: Map<Key, number>, key: Key, most: number): void {
  const count = counts.get(key)
  if (count !== undefined || counts.size < most) counts.set(key, (count ?? 0) + 1)
}

function sorted<Key>(counts: ReadonlyMap<Key, number>): readonly (readonly [Key, number])[] {
  return [...counts].sort((a, b) => b[1] - a[1])
}

/** As text, with escapes for characters that are not printable. */
function shownKey(key: Bytes): string {
  const bytes = Buffer.from(key, 'latin1')
  const text = isUtf8(bytes) ? bytes.toString('utf8') : key
  return printable(text, /[\0-\x20\x7f-\x9f]/g)
}
