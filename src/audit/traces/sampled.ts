/**
 * A part of a trace's keys, each with all of its calls, chosen as by the tracer: by a hash of the key, so that every run chooses the same keys. Pure.
 */
import { crc32 } from '../../hashing/index.js'
import type { TypedJson } from '../../values/index.js'
import { surveyOf } from './survey.js'
import { type CallEvent, portionsOf, type Trace, type TraceEvent } from './trace.js'

const oneKey: ReadonlySet<string> = new Set(
  'get gets set add replace append prepend cas incr decr delete touch __getitem__ __setitem__ __delitem__ __contains__'.split(
    ' ',
  ),
)
/** The position of a prefix argument, by method and library. */
const prefixAt: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'python-memcached': { get_multi: 1, set_multi: 2, delete_multi: 2 },
  pylibmc: { get_multi: 1, set_multi: 2, add_multi: 2, delete_multi: 1, incr_multi: 1 },
}
const manyWords = ['keys', 'mapping'] as const

/** @param share above 0, up to 1: of the keys of this trace */
export function sampledTrace(trace: Trace, share: number): Trace {
  const before = trace.header.sample ?? 1
  return {
    name: trace.name,
    header: { ...trace.header, sample: before * share },
    survey: async () => {
      const known = await surveyOf(trace)
      // An estimate: the exact number is known only when the lines are read.
      return known && { ...known, events: Math.ceil(known.events * share) }
    },
    events: () => each(trace, before * share),
    portions: () => portions(trace, before * share),
  }
}

async function* each(trace: Trace, share: number): AsyncGenerator<TraceEvent> {
  for await (const portion of portions(trace, share)) yield* portion
}

async function* portions(trace: Trace, share: number): AsyncGenerator<Iterable<TraceEvent>> {
  for await (const portion of portionsOf(trace, (line) => isOther(line, share)))
    yield chosen(trace, portion, share)
}

/** A call of one key as the tracer writes it. Lines of another form are parsed. */
const callOfOneKey = /^\{"t":[\d.]+,"client":"[^"\\]*","call":"([a-z_]+)","args":\["([^"\\]*)"[,\]]/

/** Detects a line of a key that is not in the sample without parsing it as JSON, which would take most of the time. */
function isOther(line: string, share: number): boolean {
  const [, call, key] = callOfOneKey.exec(line) ?? []
  return call !== undefined && oneKey.has(call) && !isSampled(keyOf(key!), share)
}

function* chosen(trace: Trace, events: Iterable<TraceEvent>, share: number): Generator<TraceEvent> {
  for (const event of events) {
    if (event.kind === 'call') {
      const kept = sampledCall(event, trace.header.library, share)
      if (kept) yield kept
    } else if (event.kind !== 'wire' || isSampled(event.wire.split(/[ \r\n]/, 2)[1] ?? '', share)) yield event
  }
}

/** The call with the keys that belong to the sample; undefined if none does. */
export function sampledCall(event: CallEvent, library: string, share: number): CallEvent | undefined {
  const { call, args, kwargs } = event
  if (oneKey.has(call)) {
    const key = args[0] ?? kwargs.key
    return key === undefined || isSampled(keyOf(key), share) ? event : undefined
  }
  if (call === '_deletetouch') return isSampled(keyOf(args[2] ?? kwargs.key ?? ''), share) ? event : undefined
  if (!call.endsWith('_multi')) return event
  const word = manyWords.find((name) => name in kwargs)
  const keys = args[0] ?? (word ? kwargs[word] : undefined)
  const position = prefixAt[library]?.[call]
  const given = kwargs.key_prefix ?? (position === undefined ? undefined : args[position])
  const prefix = given === undefined || given === null ? '' : keyOf(given)
  const inSample = (key: TypedJson) => isSampled(prefix + keyOf(key), share)
  const kept = keptOf(keys, inSample)
  if (kept === undefined) return event
  if (kept.count === 0) return undefined
  const { outcome } = event
  return {
    ...event,
    ...(args.length > 0
      ? { args: [kept.value, ...args.slice(1)] }
      : { kwargs: { ...kwargs, [word!]: kept.value } }),
    ...(outcome && 'result' in outcome
      ? { outcome: { result: keptOf(outcome.result, inSample)?.value ?? outcome.result } }
      : {}),
  }
}

interface Kept {
  readonly value: TypedJson
  readonly count: number
}

/** Undefined for a value that is not a collection of keys. */
function keptOf(value: TypedJson | undefined, inSample: (key: TypedJson) => boolean): Kept | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) {
    const kept = value.filter(inSample)
    return { value: kept, count: kept.length }
  }
  const fields = value as Readonly<Record<string, TypedJson>>
  const [tag = '', content] = Object.entries(fields)[0] ?? []
  if (['$tuple', '$view', '$iterator', '$set'].includes(tag) && Array.isArray(content)) {
    const kept = content.filter(inSample)
    return { value: { ...fields, [tag]: kept } as TypedJson, count: kept.length }
  }
  if (tag === '$dict' && Array.isArray(content)) {
    const kept = content.filter((pair) => Array.isArray(pair) && inSample(pair[0] ?? null))
    return { value: { $dict: kept } as TypedJson, count: kept.length }
  }
  if (tag.startsWith('$')) return undefined
  const kept = Object.entries(fields).filter(([key]) => inSample(key))
  return { value: Object.fromEntries(kept) as TypedJson, count: kept.length }
}

/** A key on the wire, one character per byte. */
function keyOf(key: TypedJson): string {
  if (typeof key === 'string') return Buffer.from(key, 'utf8').toString('latin1')
  if (typeof key !== 'object' || key === null) return String(key)
  const { $bytes, $tuple } = key as { readonly $bytes?: TypedJson; readonly $tuple?: TypedJson }
  if (typeof $bytes === 'string') return $bytes
  // python-memcached's (hash, key).
  if (Array.isArray($tuple) && $tuple.length === 2) return keyOf($tuple[1] ?? null)
  return JSON.stringify(key)
}

function isSampled(key: string, share: number): boolean {
  return crc32(Buffer.from(key, 'latin1')) < share * 2 ** 32
}
