/** The trace model. Format: docs/formats.md, "Traces". Lines are checked in `parse.ts`, files are read in `trace-file.ts`. */
import { type CaptureKind, captureBlindness } from '../../capture/index.js'
import { shown } from '../../ground/arguments.js'
import type { Bytes } from '../../ground/bytes.js'
import type { Fault } from '../../server/index.js'
import type { TypedJson } from '../../values/index.js'
import type { Outcome } from '../compare/outcome.js'
import { isRecord } from './json.js'
import type { Survey } from './survey.js'

/** The `format` of the header. */
export const traceFormat = 'memshim-trace/1'

/** The first line of a trace (docs/formats.md). */
export interface TraceHeader {
  readonly format: typeof traceFormat
  /** The library that the application used; its methods, arguments and results are in the events. */
  readonly library: 'python-memcached' | 'pylibmc' | 'pymemcache'
  readonly version: string
  /** The number of the application's servers. */
  readonly servers: number
  readonly python?: string
  readonly source?: string
  /** Date or date and time (ISO 8601). */
  readonly recorded?: string | undefined
  /** Unix time in seconds at `t` = 0, for absolute expiry times; without it `recorded` is used. */
  readonly epoch?: number
  /** The version of memcached that the application used. */
  readonly server_version?: string
  /** The part of the keys that was recorded, above 0 and below 1; absent when every key was. */
  readonly sample?: number
  /** Values were replaced by others of the same type and length. */
  readonly redacted?: boolean
  /** The source of commands that were captured on the network or logged by the servers (docs/tools/record.md). */
  readonly captured?: CaptureKind
  /** Keys were replaced by hashes. */
  readonly hashed_keys?: boolean
  /** Versions of the frameworks that called the library, by the name of their distribution. */
  readonly frameworks?: Readonly<Record<string, string>>
  /** The program that was traced; absent in traces of older tracers and in captures. */
  readonly application?: TracedApplication
}

/** The traced program, as named in a header. */
export interface TracedApplication {
  /** The value of `MEMSHIM_TRACE_APPLICATION`. */
  readonly name?: string | undefined
  /** The path of a script of the application, or the name of an installed command (`gunicorn`, `celery`). */
  readonly program?: string | undefined
  /** The working directory of an installed command. */
  readonly folder?: string | undefined
  /** A checksum of the arguments of an installed command, without options and digits. */
  readonly arguments?: string | undefined
}

/** A server spec as Python code wrote it: `'host:port'`, or `['host:port', weight]`. */
export type TracedServer = string | readonly [string, number]

interface Placed {
  /** Line in the file, from 1: the header is line 1. */
  readonly line: number
  /** Seconds since the start of the trace. */
  readonly t: number
}

/** pymemcache's classes of clients. */
export const pymemcacheClasses = [
  'Client',
  'PooledClient',
  'HashClient',
  'RetryingClient',
  'AWSElastiCacheHashClient',
] as const

/** The arguments of a client's constructor. */
export interface Construction {
  readonly kwargs: Readonly<Record<string, TypedJson>>
  /** The parameters that were given by position, by the names of the traced library; absent in older traces: only the servers. */
  readonly positional?: readonly string[] | undefined
  /** The class of the argument that holds the servers; absent: `list`. */
  readonly container?: string | undefined
  /** The servers were given as an iterator, which can be read only once. */
  readonly iterator?: boolean | undefined
  /** The class of pymemcache. Absent: `Client`, or `HashClient` for several servers. */
  readonly class?: (typeof pymemcacheClasses)[number] | undefined
  /** The client that a `RetryingClient` makes its calls with. */
  readonly inner?: Construction | undefined
}

/** A constructor call. */
export interface NewEvent extends Placed, Construction {
  readonly kind: 'new'
  readonly client: string
  readonly servers: readonly TracedServer[]
  /** The place, as in a call. */
  readonly at?: string | undefined
  readonly via?: readonly string[]
}

/** One call of the application, with its outcome. */
export interface CallEvent extends Placed {
  readonly kind: 'call'
  readonly client: string
  readonly call: string
  readonly args: readonly TypedJson[]
  readonly kwargs: Readonly<Record<string, TypedJson>>
  /** The outcome of the original library; absent when it was not recorded. */
  readonly outcome?: Outcome
  /** The place in the application. */
  readonly at?: string | undefined
  /** Functions of frameworks between the library and that place, innermost first: `module:function`. */
  readonly via?: readonly string[]
}

/** One command from a capture of the network. */
export interface WireEvent extends Placed {
  readonly kind: 'wire'
  readonly client: string
  /** One command with its data block. */
  readonly wire: Bytes
  readonly server: number
  /** null when the server did not answer. */
  readonly reply?: Bytes | null | undefined
  readonly at?: string | undefined
}

/** A fault of a server at that moment (docs/formats.md). */
export interface FaultEvent extends Placed {
  readonly kind: 'fault'
  /** The server loses its items, as a process that ends does. */
  readonly emptied?: boolean
  readonly fault: Fault
}

/** A note about the file for the report, e.g. that its last line is incomplete. */
export interface NoteEvent extends Placed {
  readonly kind: 'note'
  /** A line of the trace was left out. */
  readonly leftOut?: boolean
  readonly text: string
}

/** One line of a trace after its header. */
export type TraceEvent = NewEvent | CallEvent | WireEvent | FaultEvent | NoteEvent

/** A trace that can be read more than once. */
export interface Trace {
  /** The name in reports. */
  readonly name: string
  readonly header: TraceHeader
  events(): AsyncIterable<TraceEvent> | Iterable<TraceEvent>
  /**
   * The same events, some at a time: a long trace is read faster that way.
   * @param skip lines that are left out unread
   */
  portions?(skip?: (line: string) => boolean): AsyncIterable<Iterable<TraceEvent>>
  /** The files that it is read from. */
  readonly files?: readonly string[]
  /** Facts that are known without reading every event; undefined or absent: none. */
  survey?(): Promise<Survey | undefined>
}

/** The events of any trace, some at a time. */
export function portionsOf(
  trace: Trace,
  skip?: (line: string) => boolean,
): AsyncIterable<Iterable<TraceEvent>> {
  return trace.portions?.(skip) ?? oneByOne(trace)
}

async function* oneByOne(trace: Trace): AsyncGenerator<Iterable<TraceEvent>> {
  const events = trace.events()
  if (Symbol.iterator in events) yield events
  else for await (const event of events) yield [event]
}

/** @throws TypeError for a value that is not a `Trace` */
export function checkTrace(trace: unknown): asserts trace is Trace {
  const { name, header, events } = isRecord(trace) ? trace : {}
  const whole = typeof name === 'string' && isRecord(header) && typeof events === 'function'
  if (!whole)
    throw new TypeError(`trace is ${shown(trace)}, not what readTrace, readScenario or traceOf return`)
}

/** A file that is not a trace, or a wrong line of it: names file, line and field. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
  constructor(
    /** The file, when it is known. */
    readonly source: string | undefined,
    /** From 1; 0 when the file as a whole is meant. */
    readonly line: number,
    readonly field: string | undefined,
    readonly problem: string,
  ) {
    const where = [source, line > 0 ? `line ${line}` : undefined, field && `field "${field}"`]
      .filter(Boolean)
      .join(', ')
    super(`${where}${where === '' ? '' : ': '}${problem}`)
  }
}

/** Notes for the reader of a report about the recording of the trace. */
export function recordingNotes({
  sample,
  redacted,
  captured,
  hashed_keys: hashed,
}: TraceHeader): readonly string[] {
  const notes: string[] = []
  if (captured !== undefined)
    for (const text of captureBlindness[captured])
      notes.push(`recorded from ${captured}, which cannot see this: ${text}`)
  if (hashed)
    notes.push(
      'the keys in the trace are hashes: their prefixes, characters, lengths below 16 and servers are not the real ones',
    )
  if (sample !== undefined && sample < 1) {
    notes.push(
      `the trace holds ${Number((sample * 100).toPrecision(3))} % of the keys (sampled): multiply counts by ${Number((1 / sample).toPrecision(3))}`,
    )
  }
  if (redacted) {
    notes.push(
      'the values in the trace are redacted: their types and lengths are the real ones, their contents and compressed lengths are not',
    )
  }
  return notes
}
