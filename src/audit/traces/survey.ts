/** Facts about a trace before it is replayed: its length, and whether it has faults. */
import type { Trace, TraceEvent } from './trace.js'

/** Found without reading the lines as JSON. */
export interface Survey {
  /** Lines after the header. */
  readonly events: number
  /** Whether there may be faults: false only if there are none. */
  readonly faults: boolean
}

const lineFeed = 0x0a
const word = Buffer.from('"fault"')

/** Counts lines in the bytes of a trace. */
export async function surveyBytes(chunks: AsyncIterable<Buffer>): Promise<Survey> {
  let lines = 0
  let faults = false
  let last = lineFeed
  let tail: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, at + 1)) lines++
    last = chunk.at(-1) ?? last
    if (!faults) {
      // The word may be split between two chunks.
      faults = chunk.includes(word) || Buffer.concat([tail, chunk.subarray(0, word.length)]).includes(word)
      tail = Buffer.from(chunk.subarray(-word.length))
    }
  }
  if (last !== lineFeed) lines++
  return { events: Math.max(0, lines - 1), faults }
}

export function surveyEvents(events: readonly TraceEvent[]): Survey {
  return { events: events.length, faults: events.some(({ kind }) => kind === 'fault') }
}

/** The survey of several traces as one. */
export function joinSurveys(surveys: readonly (Survey | undefined)[]): Survey | undefined {
  if (surveys.includes(undefined)) return undefined
  const known = surveys as readonly Survey[]
  return {
    events: known.reduce((sum, { events }) => sum + events, 0),
    faults: known.some(({ faults }) => faults),
  }
}

/** A trace without a survey is replayed as if it had faults. */
export async function surveyOf(trace: Trace): Promise<Survey | undefined> {
  return trace.survey?.()
}
