/**
 * Counts divergences by switch, operation and calling line, in bounded memory, for a service that migrates from one
 * library's behaviour to the other's. Exports JSON Lines and Prometheus text, and publishes measurements for OpenTelemetry counters.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'
import { shown } from '../../ground/arguments.js'
import { checkOptionNames } from '../../python/options.js'
import { switchesByName } from '../../rules/index.js'
import { callSite } from './call-site.js'
import { type Divergence, divergenceChannelName } from './divergence.js'
import { divergenceMeasurement, metricsChannel } from './divergence-metrics.js'
import { divergenceRecord, recordsChannel } from './divergence-records.js'

/** Limits and sampling of a DivergenceLog. */
export interface DivergenceLogOptions {
  /** Take the calling line of every n-th divergence; 0 (default) never, 1 always. A stack costs some ten microseconds. */
  readonly sampleEvery?: number | undefined
  /** Most calling lines that are kept; further ones count as `other`. Default 500. */
  readonly maxSites?: number | undefined
  /** Log records of the channel `memshim:logs` name the key. Default false. */
  readonly recordKeys?: boolean | undefined
  /** Clock in seconds. Default: the system clock. */
  readonly now?: (() => number) | undefined
}

/** One switch and operation. */
export interface DivergenceCount {
  readonly switch: string
  readonly operation: string
  readonly count: number
  /** Unix times in seconds. */
  readonly first: number
  readonly last: number
  /** The last one, without its error. */
  readonly example: Readonly<Record<'compat' | 'strict', string>> & {
    readonly key?: string | undefined
    readonly server?: string | undefined
  }
  /** Calling lines (`file:line:column`) with their numbers of samples. */
  readonly sites: Readonly<Record<string, number>>
  readonly advice: string
  /** Where the documentation explains it, relative to docs/. */
  readonly docs: string
}

interface Entry {
  count: number
  first: number
  last: Divergence
  lastAt: number
  readonly sites: Map<string, number>
}

const OTHER = 'other'

/** Counts divergences by switch and place in the application, so that a log stays short. */
export class DivergenceLog {
  private readonly entries = new Map<string, Entry>()
  private readonly sampleEvery: number
  private readonly maxSites: number
  private readonly now: () => number
  private readonly recordKeys: boolean
  private seen = 0
  private sites = 0

  /** @throws TypeError for unknown options; RangeError when a number is not a whole number from 0 */
  constructor(options: DivergenceLogOptions = {}) {
    checkOptionNames(options, ['sampleEvery', 'maxSites', 'recordKeys', 'now'])
    this.sampleEvery = whole('sampleEvery', options.sampleEvery ?? 0)
    this.maxSites = whole('maxSites', options.maxSites ?? 500)
    this.recordKeys = options.recordKeys ?? false
    this.now = options.now ?? (() => Date.now() / 1000)
  }

  /** Listens to one client. @returns a function that stops listening */
  attach(client: EventEmitter<{ divergence: [Divergence] }>): () => void {
    if (typeof (client as Partial<typeof client> | null | undefined)?.on !== 'function')
      throw new TypeError(`client is ${shown(client)}, not a client of memshim/compat`)
    client.on('divergence', this.record)
    return () => client.off('divergence', this.record)
  }

  /** Listens to every client of the process, through the diagnostics channel. @returns a function that stops listening */
  attachAll(): () => void {
    const heard = (message: unknown): void => this.record(message as Divergence)
    subscribe(divergenceChannelName, heard)
    return () => unsubscribe(divergenceChannelName, heard)
  }

  /** Counts one, and publishes it on `memshim:metrics` and `memshim:logs` when these have subscribers. */
  readonly record = (divergence: Divergence): void => {
    if (recordsChannel.hasSubscribers)
      recordsChannel.publish(divergenceRecord(divergence, this.now(), this.recordKeys))
    if (metricsChannel.hasSubscribers) metricsChannel.publish(divergenceMeasurement(divergence))
    const name = `${divergence.switch} ${divergence.operation}`
    const at = this.now()
    let entry = this.entries.get(name)
    if (!entry) {
      entry = { count: 0, first: at, last: divergence, lastAt: at, sites: new Map() }
      this.entries.set(name, entry)
    }
    entry.count++
    entry.lastAt = at
    entry.last = divergence
    if (this.sampleEvery > 0 && this.seen++ % this.sampleEvery === 0) this.sample(entry)
  }

  private sample({ sites }: Entry): void {
    let site = callSite() ?? OTHER
    if (!sites.has(site)) {
      if (this.sites >= this.maxSites) site = OTHER
      else this.sites++
    }
    sites.set(site, (sites.get(site) ?? 0) + 1)
  }

  /** Most frequent first. */
  counts(): DivergenceCount[] {
    const rows = [...this.entries.values()].map(({ count, first, last, lastAt, sites }) => ({
      switch: last.switch,
      operation: last.operation,
      count,
      first,
      last: lastAt,
      example: { key: last.key, server: last.server, compat: last.compat, strict: last.strict },
      sites: Object.fromEntries(sites),
      advice: last.advice,
      docs: switchesByName[last.switch].docs,
    }))
    return rows.sort((a, b) => b.count - a.count)
  }

  /** One JSON object per line and switch, as `counts` gives them. */
  jsonLines(): string {
    return this.counts()
      .map((row) => `${JSON.stringify(row)}\n`)
      .join('')
  }

  /** Text exposition format: `memshim_divergences_total`, and `memshim_divergence_samples_total` by calling line. */
  prometheus(): string {
    const rows = this.counts()
    const totals = rows.map((row) => sampleLine('memshim_divergences_total', row, {}, row.count))
    const samples = rows.flatMap((row) =>
      Object.entries(row.sites).map(([site, count]) =>
        sampleLine('memshim_divergence_samples_total', row, { site }, count),
      ),
    )
    return [
      '# HELP memshim_divergences_total Outcomes that python-memcached and pylibmc do not share.',
      '# TYPE memshim_divergences_total counter',
      ...totals,
      '# HELP memshim_divergence_samples_total Sampled divergences by calling line.',
      '# TYPE memshim_divergence_samples_total counter',
      ...samples,
      '',
    ].join('\n')
  }

  /** Forgets everything counted so far. */
  clear(): void {
    this.entries.clear()
    this.sites = 0
  }
}

function sampleLine(
  metric: string,
  { switch: name, operation }: DivergenceCount,
  more: Readonly<Record<string, string>>,
  value: number,
): string {
  const labels = Object.entries({ switch: name, operation, ...more })
    .map(([label, text]) => `${label}="${text.replace(/[\\"\n]/g, escaped)}"`)
    .join(',')
  return `${metric}{${labels}} ${value}`
}

function escaped(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`
}

function whole(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 0)
    throw new RangeError(`${name} is ${value}, not a whole number from 0`)
  return value
}
