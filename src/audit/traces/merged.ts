/**
 * Several traces of one application (one file for each of its processes) as one, in the order of time. Clients of different files are
 * different clients; a server is the same when its address is.
 */

import { readdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { checkArray, checkText } from '../../ground/arguments.js'
import { checkOneApplication, checkOneLibrary, refuse } from './application.js'
import { joinSurveys, surveyOf } from './survey.js'
import { checkTrace, type Trace, TraceError, type TraceEvent } from './trace.js'
import { readTrace } from './trace-file.js'

/** Line numbers of the second file begin here, those of the third at twice this number, and so on. */
export const linesPerFile = 10_000_000

/**
 * Names of files and patterns (`*` and `?` in the last part of a path) as names of files, in order and without repetition.
 * @throws TraceError for a pattern that no file matches
 */
export async function expandPatterns(patterns: readonly string[]): Promise<readonly string[]> {
  checkArray('patterns', patterns)
  for (const [index, pattern] of patterns.entries()) checkText(`patterns[${index}]`, pattern)
  const found: string[] = []
  for (const pattern of patterns) {
    const name = basename(pattern)
    if (!/[*?]/.test(name)) {
      found.push(pattern)
      continue
    }
    const text = name
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')
    const names = await readdir(dirname(pattern)).catch(() => [])
    const matching = names.filter((file) => new RegExp(`^${text}$`).test(file)).sort()
    if (matching.length === 0) throw new TraceError(pattern, 0, undefined, 'no file has such a name')
    found.push(...matching.map((file) => join(dirname(pattern), file)))
  }
  return [...new Map(found.map((path) => [resolve(path), path])).values()]
}

/** How traces are merged. */
export interface MergeOptions {
  /** All traces belong to one application, also if their headers differ; default false: the headers decide. */
  readonly oneApplication?: boolean | undefined
}

/** One trace, or several merged. @throws TraceError (rejection) as `readTrace` and `mergeTraces` do */
export async function readTraces(paths: readonly string[], options: MergeOptions = {}): Promise<Trace> {
  checkArray('paths', paths)
  const traces: Trace[] = []
  for (const path of paths) traces.push(await readTrace(path))
  const [only] = traces
  return only && traces.length === 1 ? only : mergeTraces(traces, options)
}

/**
 * @throws TraceError (rejection) for traces of different libraries, versions or applications, and for one without the time when it
 *   began: none of these is guessed
 */
export async function mergeTraces(traces: readonly Trace[], options: MergeOptions = {}): Promise<Trace> {
  checkArray('traces', traces)
  for (const trace of traces) checkTrace(trace)
  const [first, ...others] = traces
  if (!first) throw new TraceError(undefined, 0, undefined, 'no trace is given')
  const stated = options.oneApplication === true
  if (stated) checkOneLibrary(traces)
  const warning = stated ? undefined : checkOneApplication(traces)
  const begins = traces.map((trace) => trace.header.epoch ?? Number.NaN)
  const undated = traces[begins.findIndex(Number.isNaN)]
  if (undated)
    throw new TraceError(
      undated.name,
      1,
      'epoch',
      'is missing: traces are merged by the time at which they began',
    )
  const servers = await commonServers(traces, stated, warning !== undefined)
  const begin = Math.min(...begins)
  const files = traces.flatMap((trace) => trace.files ?? [])
  const name = `${first.name} and ${others.length} more`
  return {
    name,
    header: { ...first.header, epoch: begin, servers: Math.max(servers, 1) },
    ...(files.length === traces.length ? { files } : {}),
    survey: async () => joinSurveys(await Promise.all(traces.map(surveyOf))),
    events: () => inOrder(traces.map((trace, i) => shifted(trace, begins[i]! - begin, i, warning))),
  }
}

/**
 * The number of servers of all traces together.
 * @param unnamed a trace does not name its program: then the traces need a common file of Python code that makes calls
 * @throws TraceError when one trace shares no server, or no such file, with those before it, unless all are of one application as it was `stated`
 */
async function commonServers(traces: readonly Trace[], stated: boolean, unnamed: boolean): Promise<number> {
  const all = new Set<string>()
  const allCode = new Set<string>()
  for (const trace of traces) {
    const own = new Set<string>()
    const code = new Set<string>()
    for await (const event of trace.events()) {
      if (event.kind === 'new')
        for (const spec of event.servers) own.add(typeof spec === 'string' ? spec : spec[0])
      const file = 'at' in event ? codeFile.exec(event.at ?? '')?.[1] : undefined
      if (file !== undefined) code.add(file)
    }
    if (unnamed && code.size > 0 && allCode.size > 0 && ![...code].some((file) => allCode.has(file))) {
      const what = `its calls are made by ${listed(code)}, and those of ${traces[0]!.name} by ${listed(allCode)}`
      refuse(trace, undefined, what)
    }
    for (const file of code) allCode.add(file)
    if (!stated && own.size > 0 && all.size > 0 && ![...own].some((server) => all.has(server))) {
      const what = `its servers (${[...own].join(', ')}) are none of ${traces[0]!.name}'s (${[...all].join(', ')})`
      refuse(trace, undefined, what)
    }
    for (const server of own) all.add(server)
  }
  return Math.max(all.size, ...traces.map((trace) => trace.header.servers))
}

const codeFile = /^(.+\.py):\d+$/

function listed(names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, 3).join(', ')
  return names.size > 3 ? `${shown} and ${names.size - 3} more files` : shown
}

async function* shifted(
  trace: Trace,
  delay: number,
  file: number,
  warning: string | undefined,
): AsyncGenerator<TraceEvent> {
  if (file === 0 && warning !== undefined) yield { kind: 'note', line: 1, t: delay, text: warning }
  if (file > 0) {
    const text = `lines from ${(file * linesPerFile).toLocaleString('en')} on are those of ${trace.name}`
    yield { kind: 'note', line: file * linesPerFile + 1, t: delay, text }
  }
  for await (const event of trace.events()) {
    const place = { line: event.line + file * linesPerFile, t: event.t + delay }
    yield 'client' in event
      ? { ...event, ...place, client: `${event.client} of ${trace.name}` }
      : { ...event, ...place }
  }
}

/** Events of all, the earliest first; those of one moment in the order of the files. */
async function* inOrder(sources: readonly AsyncGenerator<TraceEvent>[]): AsyncGenerator<TraceEvent> {
  const heads = await Promise.all(sources.map((source) => source.next()))
  try {
    for (;;) {
      let next = -1
      for (const [i, head] of heads.entries()) {
        if (!head.done && (next < 0 || head.value.t < (heads[next]!.value as TraceEvent).t)) next = i
      }
      if (next < 0) return
      yield heads[next]!.value as TraceEvent
      heads[next] = await sources[next]!.next()
    }
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)))
  }
}
