/**
 * A scenario (docs/formats.md) as a trace: its steps in order, its sleeps as time. In this way a scenario for the recorder can
 * be audited as well.
 */

import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { checkText } from '../../ground/arguments.js'
import { versionAtLeast } from '../../rules/version.js'
import type { TypedJson } from '../../values/index.js'
import { isRecord, nestingLimit, tooDeep } from './json.js'
import { readFault } from './parse.js'
import { type Trace, type TracedServer, TraceError, type TraceEvent, traceFormat } from './trace.js'
import { traceOf } from './trace-file.js'

const scenarioFormat = 'memshim-scenario/1'
/** Application time between two steps, in seconds. */
const stepTime = 0.001
/** Bytes. */
const largestFile = 64 * 1024 * 1024
const mostServers = 1000
/** Seconds. */
const longestSleep = 1e6

type Step = Readonly<Record<string, unknown>>

/** Reads a scenario as a trace of one library. @throws TraceError naming file and field */
export async function readScenario(
  path: string,
  library: 'python-memcached' | 'pylibmc' = 'python-memcached',
  version = '1.59',
): Promise<Trace> {
  checkText('path', path)
  const name = basename(path)
  let parsed: unknown
  try {
    parsed = JSON.parse(await textOf(path))
  } catch (error) {
    throw new TraceError(name, 0, undefined, `cannot be read as JSON: ${(error as Error).message}`)
  }
  return scenarioTrace(parsed, name, library, version)
}

async function textOf(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size > largestFile) throw new RangeError(`it is larger than ${largestFile} bytes`)
    const bytes = await file.readFile()
    if (!isUtf8(bytes)) throw new RangeError('it is not UTF-8')
    return bytes.toString('utf8')
  } finally {
    await file.close()
  }
}

/** @throws TraceError naming the step (as line) and the field */
export function scenarioTrace(
  scenario: unknown,
  name: string,
  library: 'python-memcached' | 'pylibmc',
  version: string,
): Trace {
  checkText('name', name)
  checkText('library', library)
  checkText('version', version)
  if (!isRecord(scenario)) throw new TraceError(name, 0, undefined, 'is not a scenario')
  if (tooDeep(scenario)) throw new TraceError(name, 0, undefined, `is nested deeper than ${nestingLimit}`)
  const { format, servers, steps, client, about } = scenario
  if (format !== scenarioFormat) {
    const shown = typeof format === 'string' ? `"${format}"` : `a value of type ${typeof format}`
    throw new TraceError(name, 0, 'format', `${shown} is not "${scenarioFormat}"`)
  }
  const count = servers ?? 1
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > mostServers) {
    throw new TraceError(name, 0, 'servers', `is not a number of servers from 1 to ${mostServers}`)
  }
  if (!Array.isArray(steps)) throw new TraceError(name, 0, 'steps', 'is not a list')
  const keywords = isRecord(client) && Object.hasOwn(client, library) ? client[library] : {}
  if (!isRecord(keywords)) throw new TraceError(name, 0, `client.${library}`, 'is not an object')
  const specs = Array.from({ length: count }, (_, i): TracedServer => `server-${i}:11211`)
  const events: TraceEvent[] = []
  const clients = new Set<string>()
  let t = 0
  for (const [i, step] of steps.entries()) {
    const line = i + 1
    const fail = (field: string | undefined, problem: string) => new TraceError(name, line, field, problem)
    if (!isRecord(step)) throw fail(undefined, 'is not a JSON object')
    t += stepTime
    if (typeof step.only === 'string' && !applies(step.only, library, version)) continue
    if (step.sleep !== undefined) t += sleepOf(step, fail)
    else if (typeof step.fault === 'string')
      events.push({ kind: 'fault', line, t, fault: readFault(step, fail) })
    else if (typeof step.call === 'string') {
      const who = typeof step.client === 'string' ? step.client : 'a'
      if (!clients.has(who))
        events.push({
          kind: 'new',
          line,
          t,
          client: who,
          servers: specs,
          kwargs: keywords as Readonly<Record<string, TypedJson>>,
        })
      clients.add(who)
      const { args = [], kwargs = {} } = step
      if (!Array.isArray(args)) throw fail('args', 'is not a list')
      if (!isRecord(kwargs)) throw fail('kwargs', 'is not an object')
      events.push({
        kind: 'call',
        line,
        t,
        client: who,
        call: step.call,
        args,
        kwargs: kwargs as Readonly<Record<string, TypedJson>>,
        at: `step ${line}`,
      })
    } else if (step.raw !== undefined) {
      throw fail('raw', 'raw bytes cannot be audited: no library sends them')
    } else throw fail(undefined, 'is not a step: call, fault or sleep')
  }
  const source = typeof about === 'string' ? about : name
  return traceOf(name, { format: traceFormat, library, version, servers: count, source }, events)
}

function sleepOf({ sleep }: Step, fail: (field: string, problem: string) => Error): number {
  if (typeof sleep === 'number' && sleep >= 0 && sleep <= longestSleep) return sleep
  throw fail('sleep', `is not a time in seconds from 0 to ${longestSleep}`)
}

/** `"pylibmc"`, `"python-memcached>=1.60"`, `"python-memcached<1.60"` */
function applies(only: string, library: string, version: string): boolean {
  const [, name, comparison, wanted] = /^([a-z-]+)(>=|<)?([\d.]+)?$/.exec(only) ?? []
  if (name !== library) return false
  if (wanted === undefined) return true
  return (comparison === '<') !== versionAtLeast(version, wanted)
}
