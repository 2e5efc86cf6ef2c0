/**
 * Traces on disk: JSON Lines, plain or gzip, read line by line so that a long trace needs no memory, and written back.
 * Format: docs/formats.md, "Traces".
 */

import { isUtf8 } from 'node:buffer'
import { createReadStream, createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGunzip, createGzip } from 'node:zlib'
import { checkText } from '../../ground/arguments.js'
import { fileReason } from '../../ground/file-error.js'
import { parseEvent, parseHeader } from './parse.js'
import { surveyBytes, surveyEvents } from './survey.js'
import { checkTrace, type Trace, TraceError, type TraceEvent, type TraceHeader } from './trace.js'

/** The tracer of a process that was killed leaves a stream without its end: the existing part is read. */
const withoutEnd = { finishFlush: constants.Z_SYNC_FLUSH }
/** Bytes. The largest item of memcached takes about 6 MiB when every byte of it is escaped. */
const longestLine = 16 * 1024 * 1024
const lineFeed = 0x0a

/**
 * Opens a trace: reads and checks the header; events are read (again) by every call of `events()`.
 * gzip is recognised by its content, not by the name.
 * @throws TraceError (rejection) naming file, line and field; while iterating as well.
 */
export async function readTrace(path: string): Promise<Trace> {
  checkText('path', path)
  const compressed = await isGzip(path)
  const name = basename(path)
  for await (const lines of lineGroups(path, compressed)) {
    const [first] = lines
    if (first === undefined) continue
    const { text } = first
    const header = parseHeader(text, path)
    return {
      name,
      header,
      events: () => eachOf(portionsOf(path, compressed)),
      portions: (skip) => portionsOf(path, compressed, skip),
      files: [path],
      survey: () => surveyBytes(bytesOf(path, compressed)),
    }
  }
  throw new TraceError(path, 0, undefined, 'is empty: the first line of a trace is its header')
}

async function* eachOf(portions: AsyncIterable<Iterable<TraceEvent>>): AsyncGenerator<TraceEvent> {
  for await (const portion of portions) yield* portion
}

/** Events are made on demand, so that those before a wrong line are available. */
async function* portionsOf(
  path: string,
  compressed: boolean,
  skip?: (line: string) => boolean,
): AsyncGenerator<Iterable<TraceEvent>> {
  const order = { last: 0 }
  let number = 0
  for await (const lines of lineGroups(path, compressed)) {
    yield eventsIn(lines, number, path, order, skip)
    number += lines.length
  }
}

/** @param before lines before these @param order the time of the last event, which is moved on */
function* eventsIn(
  lines: readonly Line[],
  before: number,
  path: string,
  order: { last: number },
  skip?: (line: string) => boolean,
): Generator<TraceEvent> {
  let line = before
  for (const { text, whole } of lines) {
    if (++line === 1 || text.trim() === '' || (whole && skip?.(text))) continue
    if (!whole && !isJson(text)) {
      const note = 'the last line is incomplete and was left out: the process ended while it wrote this line'
      yield { kind: 'note', line, t: order.last, text: note, leftOut: true }
      return
    }
    const event = parseEvent(text, line, path)
    if (event.t < order.last) {
      const problem = `${event.t} is earlier than the time of the line before (${order.last})`
      throw new TraceError(path, line, 't', problem)
    }
    order.last = event.t
    yield event
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** An error of reading ends the bytes: reading the lines gives the reason. */
async function* bytesOf(path: string, compressed: boolean): AsyncGenerator<Buffer> {
  const file = createReadStream(path)
  const source = compressed ? file.pipe(createGunzip(withoutEnd)) : file
  if (compressed) file.on('error', (error: Error) => source.destroy(error))
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) yield chunk
  } catch {
    return
  } finally {
    source.destroy()
    file.destroy()
  }
}

interface Line {
  readonly text: string
  /** Whether the line is complete. */
  readonly whole: boolean
}

/** The lines that each chunk of the file completes. They end at LF only: text in JSON may hold other line separators. */
async function* lineGroups(path: string, compressed: boolean): AsyncGenerator<readonly Line[]> {
  const file = createReadStream(path)
  const source = compressed ? file.pipe(createGunzip(withoutEnd)) : file
  // pipe() does not pass on errors of the file; without this the reader would wait without end.
  if (compressed) file.on('error', (error: Error) => source.destroy(error))
  const unfinished = new UnfinishedLine()
  let line = 0
  const fail = (problem: string) => new TraceError(path, line + 1, undefined, problem)
  const add = (bytes: Buffer) => {
    if (unfinished.length + bytes.length > longestLine) throw fail(`is longer than ${longestLine} bytes`)
    unfinished.add(bytes)
  }
  const notUtf8 = (bytes: Buffer) =>
    fail(`is not UTF-8: byte ${firstWrongByte(bytes)} of the line is not part of a character`)
  const take = (): string => {
    const bytes = unfinished.take()
    if (!isUtf8(bytes)) throw notUtf8(bytes)
    return bytes.toString('utf8')
  }
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      let from = 0
      const lines: Line[] = []
      try {
        for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
          add(chunk.subarray(from, end))
          lines.push({ text: take(), whole: true })
          line++
          from = end + 1
        }
        add(chunk.subarray(from))
      } catch (error) {
        // The lines before the wrong one come first.
        yield lines
        throw error
      }
      yield lines
    }
    if (unfinished.length > 0) {
      const bytes = unfinished.take()
      const text = bytes.toString('utf8')
      // A line that was cut inside a character is an incomplete line; a complete one must be UTF-8.
      if (!isUtf8(bytes) && isJson(text)) throw notUtf8(bytes)
      yield [{ text, whole: false }]
    }
  } catch (error) {
    if (error instanceof TraceError) throw error
    throw fail(`cannot be read to its end: ${(error as Error).message}`)
  } finally {
    source.destroy()
    file.destroy()
  }
}

/** The beginning of an incomplete line, as separate pieces, so that each byte is copied once. */
class UnfinishedLine {
  private pieces: Buffer[] = []
  length = 0

  add(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.pieces.push(bytes)
    this.length += bytes.length
  }

  take(): Buffer {
    const [only = Buffer.alloc(0), ...others] = this.pieces
    const whole = others.length === 0 ? only : Buffer.concat(this.pieces, this.length)
    this.pieces = []
    this.length = 0
    return whole
  }
}

/** Counted from 1. The bytes before it are the same when they are read and written again. */
function firstWrongByte(bytes: Buffer): number {
  const written = Buffer.from(bytes.toString('utf8'), 'utf8')
  let at = 0
  while (bytes[at] === written[at]) at++
  return at + 1
}

const isPipe = 'is a pipe, and a trace is read more than once: save it to a file first'

async function isGzip(path: string): Promise<boolean> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const absent = path === '-' ? isPipe : 'there is no such file'
    const reason = code === 'ENOENT' ? absent : `cannot be read: ${fileReason(error)}`
    throw new TraceError(path, 0, undefined, reason)
  }
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // A pipe cannot be read again from its beginning.
    throw new TraceError(
      path,
      0,
      undefined,
      code === 'ESPIPE' ? isPipe : `cannot be read: ${fileReason(error)}`,
    )
  } finally {
    await file.close()
  }
}

/** A trace from events that are in memory already. */
export function traceOf(name: string, header: TraceHeader, events: readonly TraceEvent[]): Trace {
  return { name, header, events: () => events, survey: async () => surveyEvents(events) }
}

/** Writes a trace; gzip when the name ends in `.gz`. Line numbers are those of the new file. */
export async function writeTrace(path: string, trace: Trace): Promise<void> {
  checkText('path', path)
  checkTrace(trace)
  const lines = async function* () {
    yield `${JSON.stringify(trace.header)}\n`
    for await (const event of trace.events())
      if (event.kind !== 'note') yield `${JSON.stringify(eventRow(event))}\n`
  }
  const file = createWriteStream(path)
  if (path.endsWith('.gz')) await pipeline(Readable.from(lines()), createGzip(), file)
  else await pipeline(Readable.from(lines()), file)
}

function eventRow(event: TraceEvent): object {
  const { kind: _kind, line: _line, ...row } = event
  if (event.kind === 'fault') return { t: event.t, ...event.fault }
  if (event.kind === 'new') {
    const { t, client, servers, kwargs, at, via } = event
    return { t, client, new: { servers, kwargs }, at, via }
  }
  if (event.kind === 'call') {
    const { outcome, kind: _, line: __, ...call } = event
    return { ...call, ...outcome }
  }
  return row
}
