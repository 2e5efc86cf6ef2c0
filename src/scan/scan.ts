/** Scans servers: lists every item, reads a sample of values without a use of the items, and reports. */

import { shown } from '../ground/arguments.js'
import { type NamedPlacement, placements } from '../hashing/index.js'
import { ListingError, MetadumpReader } from '../protocol/metadump.js'
import { checkOptionNames } from '../python/options.js'
import { parseServers } from '../strict/index.js'
import { addressName, hostAndPort, type ServerAddress } from '../transport/address.js'
import { checkConnecting } from '../transport/connection-options.js'
import { LineConnection } from '../transport/line-connection.js'
import type { Tls } from '../transport/socket.js'
import { ScanError } from './errors.js'
import { listingBytes } from './listing-file.js'
import type { ScanReport, ServerRow } from './report.js'
import { ValueReader } from './sample-values.js'
import { type Chosen, Tally } from './tally.js'

/** Options of a scan (docs/tools/scan.md). */
export interface ScanOptions {
  /** The application's servers in its own order, in pylibmc's grammar. */
  readonly servers?: readonly string[] | undefined
  /** Saved listings (`lru_crawler metadump all`), plain or gzip, instead of servers: no values are read. */
  readonly files?: readonly string[] | undefined
  /** The largest number of items per second and server. Default 100,000; 0 = no limit. */
  readonly rate?: number | undefined
  /** Values that are read for each prefix and flags. Default 6; 0 reads none. */
  readonly sample?: number | undefined
  /** The largest number of values that are read from one server. Default 2,000. */
  readonly maxValues?: number | undefined
  /** Reads values also from servers that only have `get`, which counts as a use of the item. Default true. */
  readonly get?: boolean | undefined
  readonly tls?: Tls | undefined
  /** Milliseconds for connecting and for each answer. Default 10,000. */
  readonly timeout?: number | undefined
  readonly onProgress?: ((items: number, server: string) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

const optionNames: readonly (keyof ScanOptions)[] = [
  'servers', 'files', 'rate', 'sample', 'maxValues', 'get', 'tls', 'timeout', 'onProgress', 'signal',
] // biome-ignore format: one list

interface Settings {
  readonly rate: number
  readonly maxValues: number
  readonly get: boolean
  readonly tls: Tls | undefined
  readonly timeout: number
  readonly onProgress: ScanOptions['onProgress']
  readonly signal: AbortSignal | undefined
}

/**
 * Servers are scanned one after the other. A server that cannot be scanned has a `problem` in the report.
 * @throws ScanError (rejection) for wrong options (TypeError for unknown ones, TypeError or RangeError for `timeout` and `tls`), and when no server and no file could be read; the signal's reason
 */
export async function scan(options: ScanOptions): Promise<ScanReport> {
  checkOptionNames(options, optionNames)
  const { servers: specs = [], files = [], sample = 6 } = options
  checkConnecting(options)
  checkOptions(options)
  const started = Date.now()
  const parsed = specs.length > 0 ? parsedServers(specs) : []
  const names = specs.length > 0 ? parsed.map(({ address }) => addressName(address)) : files
  const all: readonly NamedPlacement[] =
    parsed.length > 1
      ? placements(parsed.map(({ address, weight }) => ({ ...hostAndPort(address), weight })))
      : []
  const tally = new Tally(specs.length > 0 ? sample : 0, all, names, started / 1000)
  const notes = new Set<string>()
  const settings: Settings = {
    rate: options.rate ?? 100_000,
    maxValues: options.maxValues ?? 2000,
    get: options.get ?? true,
    tls: options.tls,
    timeout: options.timeout ?? 10_000,
    onProgress: options.onProgress,
    signal: options.signal,
  }
  const rows: ServerRow[] = []
  for (const [index, name] of names.entries())
    rows.push(
      specs.length > 0
        ? await scanServer(parsed[index]!.address, name, index, tally, settings, notes)
        : await scanFile(name, index, tally, settings),
    )
  options.signal?.throwIfAborted()
  if (rows.every(({ problem, items }) => problem !== undefined && items === 0))
    throw new ScanError(rows.map(({ problem }) => problem).join('; '))
  const prefixes = tally.prefixRows()
  const large = tally.largeRows()
  const report: ScanReport = {
    format: 'memshim-scan/1',
    taken: new Date(started).toISOString(),
    seconds: (Date.now() - started) / 1000,
    servers: rows,
    items: tally.items,
    bytes: tally.bytes,
    sampled: tally.sampled,
    prefixes,
    writers: writerRows(prefixes),
    unreadable: tally.unreadableRows(),
    keys: tally.keyRows(),
    large: large.rows,
    largeItems: large.items,
    placement: tally.placementReport(),
    notes: [...notes],
  }
  return report
}

function checkOptions({ servers = [], files = [], rate = 0, sample = 0, maxValues = 0 }: ScanOptions): void {
  if (servers.length > 0 === files.length > 0)
    throw new ScanError('name servers, or files with listings, not both')
  for (const [name, value] of Object.entries({ rate, sample, maxValues }))
    if (!(Number.isSafeInteger(value) && value >= 0))
      throw new ScanError(`${name} ${shown(value)} is not a whole number from 0`)
}

function parsedServers(specs: readonly string[]) {
  try {
    return parseServers(specs)
  } catch (error) {
    throw new ScanError(`servers: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function scanServer(
  address: ServerAddress,
  server: string,
  index: number,
  tally: Tally,
  settings: Settings,
  notes: Set<string>,
): Promise<ServerRow> {
  const { tls, timeout } = settings
  const before = { items: tally.items, bytes: tally.bytes }
  let facts: ServerFacts = { version: undefined, itemSizeMax: undefined }
  const open: LineConnection[] = []
  const connect = async () => {
    const made = await LineConnection.open(address, { tls, timeout })
    open.push(made)
    return made
  }
  let problem: string | undefined
  try {
    const talk = await connect()
    facts = await serverFacts(talk)
    let flagsKnown = false
    const listing = await connect()
    const reader = new MetadumpReader(server, (item) => {
      flagsKnown ||= item.flags !== undefined
      tally.add(item, index, facts.itemSizeMax)
    })
    listing.send('lru_crawler metadump all\r\n')
    await list(reader, () => listing.chunk(), server, settings)
    if (reader.wrong > 0)
      notes.add(`${server}: ${reader.wrong} lines of the listing are not items and were left out`)
    listing.close()
    const counted = await itemCount(talk)
    if (counted !== undefined && reader.items < counted * (1 - unlisted))
      notes.add(
        `${server}: ${reader.items.toLocaleString('en')} items were listed, and the server counts ${counted.toLocaleString('en')}: expired items are counted, and items that are stored or read meanwhile may be missing in a listing`,
      )
    await readValues(talk, tally, flagsKnown, settings, server, notes)
  } catch (error) {
    if (settings.signal?.aborted) throw settings.signal.reason
    problem = error instanceof Error ? error.message : String(error)
  } finally {
    for (const connection of open) connection.close()
    // The items that were chosen from a server whose values could not be read are dropped.
    tally.takeChosen()
  }
  return {
    server,
    ...facts,
    items: tally.items - before.items,
    bytes: tally.bytes - before.bytes,
    ...(problem === undefined ? {} : { problem }),
  }
}

/** Reads a listing to its end, not faster than the rate. */
async function list(
  reader: MetadumpReader,
  chunk: () => Promise<Buffer | undefined>,
  server: string,
  { rate, signal, onProgress }: Settings,
): Promise<void> {
  const began = performance.now()
  while (!reader.ended) {
    signal?.throwIfAborted()
    const bytes = await chunk()
    if (bytes === undefined) throw new ListingError(server, 'the listing is incomplete: it ends before END')
    reader.push(bytes)
    onProgress?.(reader.items, server)
    const early = rate > 0 ? (1000 * reader.items) / rate - (performance.now() - began) : 0
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, Math.min(early, longestPause)))
  }
}

/** Milliseconds. memcached drops a listing whose reader does not read. */
const longestPause = 200

interface ServerFacts {
  readonly version: string | undefined
  readonly itemSizeMax: number | undefined
}

async function serverFacts(connection: LineConnection): Promise<ServerFacts> {
  connection.send('version\r\nstats settings\r\n')
  const version = /^VERSION (\S+)/.exec(await connection.line())?.[1]
  let itemSizeMax: number | undefined
  for (let count = 0; count < mostSettings; count++) {
    const line = await connection.line()
    const [, name, value] = /^STAT (\S+) (.*)$/.exec(line) ?? []
    if (name === undefined) break
    if (name === 'item_size_max' && /^\d+$/.test(value!)) itemSizeMax = Number(value)
  }
  return { version, itemSizeMax }
}

const mostSettings = 1000

/** The part of a server's items that may be missing without a note. */
const unlisted = 0.01

/** The number of items by the server's statistics, expired ones included. */
async function itemCount(connection: LineConnection): Promise<number | undefined> {
  connection.send('stats\r\n')
  let items: number | undefined
  for (let count = 0; count < mostSettings; count++) {
    const line = await connection.line()
    const [, name, value] = /^STAT (\S+) (\d+)/.exec(line) ?? []
    if (name === 'curr_items') items = Number(value)
    if (!line.startsWith('STAT ')) break
  }
  return items
}

async function readValues(
  connection: LineConnection,
  tally: Tally,
  flagsKnown: boolean,
  { maxValues, get, signal }: Settings,
  server: string,
  notes: Set<string>,
): Promise<void> {
  const chosen = tally.takeChosen()
  if (chosen.length === 0 || maxValues === 0) return
  const values = new ValueReader(connection)
  const way = await values.way()
  if (way === 'get' && !get) {
    notes.add(`${server}: no values were read: the server has only get, which counts as a use`)
    return
  }
  if (way === 'get')
    notes.add(
      `${server}: values were read with get, which counts as a use of ${Math.min(chosen.length, maxValues)} items`,
    )
  for (const item of spread(chosen, maxValues)) {
    signal?.throwIfAborted()
    const found = await values.read(item.key)
    if (found === 'unaskable')
      notes.add(`${server}: values under keys with blanks or control characters were not read`)
    else if (found) tally.value(item, found.flags, found.data, flagsKnown)
  }
}

/** Evenly from the whole list, so that prefixes at its end are included. */
function* spread(chosen: readonly Chosen[], most: number): Generator<Chosen> {
  const step = Math.max(1, chosen.length / most)
  for (let at = 0; at < chosen.length; at += step) yield chosen[Math.floor(at)]!
}

async function scanFile(path: string, index: number, tally: Tally, settings: Settings): Promise<ServerRow> {
  const before = { items: tally.items, bytes: tally.bytes }
  let problem: string | undefined
  try {
    const reader = new MetadumpReader(path, (item) => tally.add(item, index, undefined))
    const chunks = listingBytes(path)
    await list(
      reader,
      async () => {
        const next = await chunks.next()
        return next.done ? undefined : next.value
      },
      path,
      { ...settings, rate: 0 },
    )
  } catch (error) {
    if (settings.signal?.aborted) throw settings.signal.reason
    problem = (error as Error).message
  }
  return {
    server: path,
    version: undefined,
    itemSizeMax: undefined,
    items: tally.items - before.items,
    bytes: tally.bytes - before.bytes,
    ...(problem === undefined ? {} : { problem }),
  }
}

/** Items by writer; if several libraries explain a prefix, under all of their names together. */
function writerRows(prefixes: ScanReport['prefixes']): ScanReport['writers'] {
  const counts = new Map<string, number>()
  for (const { writers, items, sampled, flags } of prefixes) {
    const unknown =
      sampled === 0 && flags.length === 0 ? 'unknown: neither flags nor values were read' : 'another client'
    const name = writers.length === 0 ? unknown : writers.join(' or ')
    counts.set(name, (counts.get(name) ?? 0) + items)
  }
  return [...counts].map(([writer, items]) => ({ writer, items })).sort((a, b) => b.items - a.items)
}
