/**
 * A scenario (docs/formats.md) as a trace: its steps in order, its sleeps as time. So what is written for the recorder can
 * be audited as well.
 */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { TypedJson } from '../values/index.js'
import { versionAtLeast } from './python-signatures.js'
import {
  readFault,
  type Trace,
  type TracedServer,
  TraceError,
  type TraceEvent,
  traceFormat,
} from './trace.js'
import { traceOf } from './trace-file.js'

const scenarioFormat = 'memshim-scenario/1'
/** Application time between two steps, in seconds. */
const stepTime = 0.001

type Step = Readonly<Record<string, unknown>>

/** Reads a scenario as a trace of one library. @throws TraceError naming file and field */
export async function readScenario(
  path: string,
  library: 'python-memcached' | 'pylibmc' = 'python-memcached',
  version = '1.59',
): Promise<Trace> {
  const name = basename(path)
  let parsed: unknown
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw new TraceError(name, 0, undefined, `cannot be read as JSON: ${(error as Error).message}`)
  }
  return scenarioTrace(parsed, name, library, version)
}

/** @throws TraceError naming the step (as line) and the field */
export function scenarioTrace(
  scenario: unknown,
  name: string,
  library: 'python-memcached' | 'pylibmc',
  version: string,
): Trace {
  if (typeof scenario !== 'object' || scenario === null)
    throw new TraceError(name, 0, undefined, 'is no scenario')
  const { format, servers, steps, client, about } = scenario as Readonly<Record<string, unknown>>
  if (format !== scenarioFormat) {
    throw new TraceError(name, 0, 'format', `"${String(format)}" is not "${scenarioFormat}"`)
  }
  const count = servers ?? 1
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1) {
    throw new TraceError(name, 0, 'servers', 'is not a number of servers')
  }
  if (!Array.isArray(steps)) throw new TraceError(name, 0, 'steps', 'is not a list')
  const kwargs = ((client as Readonly<Record<string, unknown>> | undefined)?.[library] ?? {}) as Record<
    string,
    TypedJson
  >
  const specs = Array.from({ length: count }, (_, i): TracedServer => `server-${i}:11211`)
  const events: TraceEvent[] = []
  const clients = new Set<string>()
  let t = 0
  for (const [i, step] of (steps as readonly Step[]).entries()) {
    const line = i + 1
    t += stepTime
    if (typeof step.only === 'string' && !applies(step.only, library, version)) continue
    if (typeof step.sleep === 'number') t += step.sleep
    else if (typeof step.fault === 'string')
      events.push({
        kind: 'fault',
        line,
        t,
        fault: readFault(step, (field, problem) => new TraceError(name, line, field, problem)),
      })
    else if (typeof step.call === 'string') {
      const who = typeof step.client === 'string' ? step.client : 'a'
      if (!clients.has(who)) events.push({ kind: 'new', line, t, client: who, servers: specs, kwargs })
      clients.add(who)
      const args = (step.args ?? []) as readonly TypedJson[]
      const words = (step.kwargs ?? {}) as Readonly<Record<string, TypedJson>>
      events.push({
        kind: 'call',
        line,
        t,
        client: who,
        call: step.call,
        args,
        kwargs: words,
        at: `step ${line}`,
      })
    } else if (step.raw !== undefined) {
      throw new TraceError(
        name,
        line,
        'raw',
        'bytes past the client cannot be audited: no library would have sent them',
      )
    } else throw new TraceError(name, line, undefined, 'is no step: call, fault or sleep')
  }
  const source = typeof about === 'string' ? about : name
  return traceOf(name, { format: traceFormat, library, version, servers: count, source }, events)
}

/** `"pylibmc"`, `"python-memcached>=1.60"`, `"python-memcached<1.60"` */
function applies(only: string, library: string, version: string): boolean {
  const [, name, comparison, wanted] = /^([a-z-]+)(>=|<)?([\d.]+)?$/.exec(only) ?? []
  if (name !== library) return false
  if (wanted === undefined) return true
  return (comparison === '<') !== versionAtLeast(version, wanted)
}
