/** The application of a trace, and whether several traces are of one application. The tracer writes it into the header (docs/formats.md). */
import { type Trace, type TracedApplication, TraceError } from './trace.js'

/**
 * Checks that traces are of one application: by their names if both have one, else by the program, with folder and arguments.
 * @returns a warning if a trace does not name its program, as with older tracers
 * @throws TraceError when two are of different libraries, versions or applications
 */
export function checkOneApplication(traces: readonly Trace[]): string | undefined {
  checkOneLibrary(traces)
  const [first, ...others] = traces
  for (const other of others) {
    const [a, b] = [first!.header.source, other.header.source]
    if (a !== b)
      refuse(
        other,
        'source',
        `${JSON.stringify(b ?? null)}, but ${JSON.stringify(a ?? null)} in ${first!.name}`,
      )
  }
  let unknown: Trace | undefined
  for (const [i, trace] of traces.entries()) {
    for (const earlier of traces.slice(0, i)) {
      const [a, b] = [earlier.header.application, trace.header.application]
      const same = isSame(a, b)
      if (same === undefined) unknown ??= a?.program === undefined ? earlier : trace
      else if (!same) refuse(trace, 'application', `${words(b!)}, but ${words(a!)} in ${earlier.name}`)
    }
  }
  return unknown && unknown.header.captured === undefined
    ? `${unknown.name} does not name its application, as traces of older tracers and of programs without a file do not: memshim cannot check whether all of these traces are of one application`
    : undefined
}

/** @throws TraceError when two traces are of different libraries or versions, whose calls cannot be one replay */
export function checkOneLibrary([first, ...others]: readonly Trace[]): void {
  for (const other of others) {
    for (const field of ['library', 'version'] as const) {
      const [a, b] = [first!.header[field], other.header[field]]
      if (a === b) continue
      const problem = `is ${JSON.stringify(b)}, but ${JSON.stringify(a)} in ${first!.name}: traces of different libraries or versions cannot be merged; audit each of them alone`
      throw new TraceError(other.name, 1, field, problem)
    }
  }
}

/** @throws TraceError always */
export function refuse(trace: Trace, field: string | undefined, what: string): never {
  const advice =
    'these are traces of different applications; audit each of them alone. If they are parts of one application, add --one-application, and trace with MEMSHIM_TRACE_APPLICATION=NAME from now on'
  throw new TraceError(
    trace.name,
    field === undefined ? 0 : 1,
    field,
    `${field === undefined ? '' : 'is '}${what}: ${advice}`,
  )
}

/** undefined: it is not known. */
function isSame(a: TracedApplication = {}, b: TracedApplication = {}): boolean | undefined {
  if (a.name !== undefined && b.name !== undefined) return a.name === b.name
  if (a.program === undefined || b.program === undefined) return undefined
  return a.program === b.program && a.folder === b.folder && a.arguments === b.arguments
}

function words({
  name,
  program = 'an unknown program',
  folder,
  arguments: given,
}: TracedApplication): string {
  const started = `${program}${folder === undefined ? '' : ` in ${folder}`}${given === undefined ? '' : ` with the arguments ${given}`}`
  return name === undefined ? started : `${name} (${started})`
}
