/**
 * Programs that were run on the real python-memcached and, unchanged, on the real pylibmc (`fixtures/record/calls/calling_forms.py`), held
 * against what the audit predicts for them, call by call.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { AuditedOperation } from '../../../src/audit/compare/differ.js'
import {
  type AuditOptions,
  audit,
  type Outcome,
  returned,
  sameOutcome,
  type TraceEvent,
  traceFormat,
  traceOf,
} from '../../../src/audit/index.js'
import { normalized } from '../../../src/audit/replay/replay.js'
import { fromTypedJson, type TypedJson } from '../../../src/values/index.js'

type Recorded = Outcome | { readonly dies: true }

export interface CallingForms {
  readonly servers: number
  readonly cases: readonly {
    readonly name: string
    readonly calls: readonly {
      readonly call: string
      readonly args: TypedJson[]
      readonly kwargs?: Record<string, TypedJson>
    }[]
    readonly outcomes: Readonly<Record<string, readonly Recorded[]>>
  }[]
}

export function readCallingForms(path: string): CallingForms {
  const data = readFileSync(path)
  return JSON.parse((path.endsWith('.gz') ? gunzipSync(data) : data).toString('utf8'))
}

export interface Compared {
  /** Calls whose predicted outcome is the real one. */
  readonly right: number
  /** Calls on a connection that is out of step, for which the audit says that it cannot tell. */
  readonly uncertain: number
  readonly wrong: readonly {
    readonly name: string
    readonly call: string
    readonly predicted: Outcome
    readonly real: Recorded
  }[]
}

/**
 * The audit's predictions against the recordings.
 * @param source e.g. `python-memcached-1.59`: also what the audit emulates
 * @param target e.g. `pylibmc-1.6.3`, `pylibmc-1.6.3-binary`, `python-memcached-1.62`
 */
export async function compareForms(
  forms: CallingForms,
  source: string,
  target: string,
  more: AuditOptions = {},
  serverName = (i: number) => `10.0.0.${i + 1}:11211`,
) {
  const events: TraceEvent[] = []
  const places: { name: string; call: number; form: CallingForms['cases'][number] }[] = []
  let line = 1
  const servers = Array.from({ length: forms.servers }, (_, i) => serverName(i))
  const add = (event: object) =>
    events.push({ line: ++line, t: line / 1000, kwargs: {}, ...event } as TraceEvent)
  add({ kind: 'new', client: 'admin', servers })
  for (const [n, form] of forms.cases.entries()) {
    add({ kind: 'call', client: 'admin', call: 'flush_all', args: [] })
    add({ kind: 'new', client: `c${n}`, servers, kwargs: { cache_cas: true } })
    for (const [call, step] of form.calls.entries()) {
      add({ kind: 'call', client: `c${n}`, kwargs: {}, ...step })
      places[line] = { name: form.name, call, form }
    }
  }
  const header = {
    format: traceFormat,
    library: 'python-memcached',
    version: source.split('-').at(-1)!,
    servers: forms.servers,
  } as const
  const predicted: { compat: Outcome; strict: Outcome; operation: AuditedOperation; unexplained: boolean }[] =
    []
  const options: AuditOptions = {
    binary: target.endsWith('-binary'),
    to: target.replace(/(-[a-z]+)+$/, ''),
    ...more,
    serverVersion: '1.6.18',
    // The servers are in this process: only what python-memcached itself waits for in vain takes this long.
    longestWait: 1000,
    onOperation: (operation, verdict) => {
      predicted[operation.line] = { ...operation, operation, unexplained: verdict.status === 'unexplained' }
    },
  }
  const report = await audit(traceOf('calling forms', header, events), options)
  const unexplained: string[] = []
  const of = (side: 'compat' | 'strict', library: string): Compared => {
    let right = 0
    let uncertain = 0
    const wrong: Compared['wrong'][number][] = []
    for (const [at, place] of places.entries()) {
      if (!place) continue
      const real = place.form.outcomes[library]?.[place.call]
      if (real === undefined) continue
      const found = predicted[at]
      const outcome = found?.[side] ?? { result: 'NOT PREDICTED' }
      const step = place.form.calls[place.call]!
      if (agrees(step.call, outcome, real)) right++
      else if (side === 'strict' && found?.operation.uncertain) uncertain++
      else
        wrong.push({
          name: place.name,
          call: `${place.call}: ${step.call}(${JSON.stringify(step.args).slice(0, 150)} ${JSON.stringify(step.kwargs ?? {})})`,
          predicted: outcome,
          real,
        })
      if (side === 'strict' && found?.unexplained) unexplained.push(`${place.name}: ${step.call}`)
    }
    return { right, uncertain, wrong }
  }
  return { source: of('compat', source), target: of('strict', target), unexplained, report }
}

export function agrees(call: string, predicted: Outcome, real: Recorded): boolean {
  if ('dies' in real) return 'raises' in predicted && predicted.raises.class === 'process.abort'
  return sameOutcome(masked(call, predicted), masked(call, real))
}

function masked(call: string, outcome: Outcome): Outcome {
  if ('raises' in outcome) return outcome
  const { result } = outcome
  // HashClient's get_many with gets: its CAS uniques are those of the server.
  if (call === 'get_multi' && JSON.stringify(result).includes('$tuple'))
    return { result: JSON.parse(JSON.stringify(result).replace(/\{"\$bytes":"\d+"\}\]/g, '"cas unique"]')) }
  if (call === 'gets' && isTagged(result, '$tuple')) {
    const [value, unique] = result.$tuple as TypedJson[]
    // pymemcache's are bytes of digits.
    const known = typeof unique === 'number' || (unique !== null && isTagged(unique!, '$bytes'))
    return returned(fromTypedJson({ $tuple: [value!, known ? 'cas unique' : unique!] }))
  }
  if (['get_stats', 'get_slabs', 'get_slab_stats'].includes(call)) {
    if (Array.isArray(result)) return { result: { $list: result.length } }
    return outcome
  }
  return normalized(call, outcome)
}

function isTagged(value: TypedJson, tag: string): value is { readonly [tag: string]: TypedJson } {
  return typeof value === 'object' && value !== null && tag in value
}
