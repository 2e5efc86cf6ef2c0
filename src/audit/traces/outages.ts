/**
 * Servers that were down: assumed ones (`--outage`), which become faults of the trace, and ones that a trace shows, although a tracer cannot
 * see a fault: calls fail that the emulation, on servers that never fail, answers.
 */
import { checkText } from '../../ground/arguments.js'
import type { AuditedOperation } from '../compare/differ.js'
import { impactOf, impacts, type Outcome } from '../compare/outcome.js'
import { isUnreachable } from '../frameworks/outcome-words.js'
import { AuditOptionsError } from '../options.js'
import { surveyOf } from './survey.js'
import type { Trace, TraceEvent } from './trace.js'

/** A server that is down from one moment of the trace to another, in seconds. */
export interface Outage {
  /** By position of first appearance, from 0. */
  readonly server: number
  readonly from: number
  readonly to: number
  /** `kept` for a server that could not be reached; by default it was started again and is empty. */
  readonly items?: 'kept' | 'lost' | undefined
}

/** An outage that a trace shows. */
export interface FoundOutage extends Outage {
  /** Calls for keys of this server that failed although the item was there, or could have been stored. */
  readonly failed: number
  readonly confidence: 'high' | 'medium' | 'low'
}

/** The effect of assumed outages on the application on the target. */
export interface OutageEffect {
  readonly outages: readonly Outage[]
  /** Calls that raise on the target and did not on the application's library, from the beginning of the first outage on. */
  readonly raises: number
  /** Places in the application where they are, most first. */
  readonly callSites: readonly { readonly at: string; readonly count: number }[]
}

/** `server 0: 5s-10s`, `server 0: 5s-10s, items kept` @throws AuditOptionsError */
export function parseOutage(text: string): Outage {
  checkText('text', text)
  const [, server, from, to, kept] =
    /^server (\d+):\s*([\d.]+)\s*s?\s*-\s*([\d.]+)\s*s?(,\s*items kept)?$/.exec(text.trim()) ?? []
  const times = { server: Number(server), from: Number(from), to: Number(to) }
  const outage: Outage = kept === undefined ? times : { ...times, items: 'kept' }
  if (server === undefined || !(outage.from < outage.to))
    throw new AuditOptionsError(
      `--outage ${text}: 'server 0: 5s-10s' is needed, the first time before the second; ', items kept' may follow`,
    )
  return outage
}

/** The trace with the outages as faults. @throws AuditOptionsError for a server that is not there */
export function withOutages(trace: Trace, outages: readonly Outage[], servers: number): Trace {
  const wrong = outages.find(({ server }) => server >= servers)
  if (wrong)
    throw new AuditOptionsError(
      `--outage names server ${wrong.server}, but there are ${servers}: 0 to ${servers - 1}`,
    )
  const faults = outages
    .flatMap(({ server, from, to, items }) => [
      { t: from, fault: { fault: 'down', server } as const, emptied: items !== 'kept' },
      { t: to, fault: { fault: 'up', server } as const },
    ])
    .sort((a, b) => a.t - b.t)
  const survey = async () => {
    const known = await surveyOf(trace)
    return known && { events: known.events + faults.length, faults: true }
  }
  return { name: trace.name, header: trace.header, survey, events: () => inserted(trace, faults) }
}

async function* inserted(
  trace: Trace,
  faults: readonly { t: number; fault: { fault: 'down' | 'up'; server: number }; emptied?: boolean }[],
): AsyncGenerator<TraceEvent> {
  let next = 0
  for await (const event of trace.events()) {
    for (; next < faults.length && faults[next]!.t <= event.t; next++)
      yield { kind: 'fault', line: event.line, ...faults[next]! }
    yield event
  }
}

/** Counts the effects of assumed outages. */
export class OutageCount {
  private raises = 0
  private readonly sites = new Map<string, number>()
  private readonly begin: number

  constructor(private readonly outages: readonly Outage[]) {
    this.begin = Math.min(...outages.map(({ from }) => from))
  }

  add({ t, compat, strict, at }: AuditedOperation): void {
    if (t < this.begin || 'raises' in compat || !('raises' in strict)) return
    const name = strict.raises.class
    if (!(name.startsWith('pylibmc.') || isUnreachable(name)) || impactOf(compat, strict) !== impacts[0])
      return
    this.raises++
    if (at !== undefined) this.sites.set(at, (this.sites.get(at) ?? 0) + 1)
  }

  result(): OutageEffect {
    const callSites = [...this.sites].map(([at, count]) => ({ at, count })).sort((a, b) => b.count - a.count)
    return { outages: this.outages, raises: this.raises, callSites }
  }
}

/** Failures of one server further apart than this belong to different outages: python-memcached's dead_retry and a half, in seconds. */
const gap = 45
const stores = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas'])

function failedToReach(recorded: Outcome): boolean {
  return 'raises' in recorded && isUnreachable(recorded.raises.class)
}

interface Evidence {
  from: number
  to: number
  failed: number
  /** Calls that returned 0 or raised, which only a failure does. */
  certain: number
  /** Another server answered meanwhile. */
  others: boolean
}

/** Looks for outages in the recorded outcomes. */
export class OutageSearch {
  private readonly servers = new Map<number, Evidence[]>()
  /** The time of the last answer of each server. */
  private readonly answers = new Map<number, number>()

  /** @param server the server of the call's key with the application's library */
  add({ call, t, recorded, compat, keys }: AuditedOperation, server: number | undefined): void {
    if (server === undefined || keys.length !== 1 || !recorded || !('result' in compat)) return
    if (failedToReach(recorded)) return this.failure(server, t, true)
    if (!('result' in recorded)) return
    const answered = compat.result !== null && compat.result !== false && compat.result !== 0
    if (!answered) return
    const zero = recorded.result === 0 && (stores.has(call) || call === 'delete')
    if (zero || recorded.result === null) this.failure(server, t, zero)
    else this.answer(server, t)
  }

  private failure(server: number, t: number, certain: boolean): void {
    const known = this.servers.get(server) ?? []
    this.servers.set(server, known)
    const last = known.at(-1)
    if (last && t - last.to <= gap) {
      last.to = t
      last.failed++
      last.certain += Number(certain)
      last.others ||= this.othersAnswered(server, last.from)
      return
    }
    known.push({
      from: t,
      to: t,
      failed: 1,
      certain: Number(certain),
      others: this.othersAnswered(server, t),
    })
  }

  private othersAnswered(server: number, since: number): boolean {
    for (const [other, t] of this.answers) if (other !== server && t >= since) return true
    return false
  }

  private answer(server: number, t: number): void {
    this.answers.set(server, t)
    // At the time of the last failure.
    for (const [other, runs] of this.servers) {
      const last = runs.at(-1)!
      if (other !== server && last.to === t) last.others = true
    }
  }

  result(): readonly FoundOutage[] {
    const found: FoundOutage[] = []
    for (const [server, runs] of this.servers) {
      for (const { from, to, failed, certain, others } of runs) {
        if (failed < 2) continue
        const confidence = certain > 0 && failed >= 5 && others ? 'high' : certain > 0 ? 'medium' : 'low'
        found.push({ server, from, to, failed, confidence })
      }
    }
    return found.sort((a, b) => a.from - b.from)
  }
}
