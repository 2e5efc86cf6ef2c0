/**
 * The reason why a call on pymemcache has another outcome than on the application's library: the name of the behaviour. The rules are in the
 * table of rules and in docs/reference/pymemcache.md; a difference without a rule stays unexplained.
 */

import { pythonText } from '../../pymemcache/serde.js'
import { fromTypedJson, PyTuple, type TypedJson } from '../../values/index.js'
import { type Reason, reasonFor } from '../compare/divergence.js'
import { type Outcome, type Raised, sameOutcome } from '../compare/outcome.js'
import type { PythonCall, SignatureError } from '../methods/python-signatures.js'
import type { TargetSettings } from './options.js'

export interface ComparedCall {
  readonly client: string
  readonly call: PythonCall
  /** The outcome on the other library, and on pymemcache. */
  readonly before: Outcome
  readonly after: Outcome
  /** pymemcache's signature refuses the call, which is reported separately. */
  readonly refused: boolean
}

const reads = new Set(['get', 'gets', 'get_multi', 'gets_many', '__getitem__'])
const stores = new Set(['set', 'add', 'replace', 'append', 'prepend', 'set_multi', 'cas', '__setitem__'])
const counts = new Set(['incr', 'decr'])
/** Arguments with another name in pymemcache. */
const renamed = new Set(['val', 'time', 'mapping', 'delta', 'seconds', 'value', 'key', 'keys'])

/** A call that pymemcache's signature refuses. */
export function signatureReason({ call }: PythonCall, error: SignatureError): Reason {
  if (error.problem === 'method') return reasonFor('missing-method')
  if (call === 'cas') return reasonFor('gets-and-cas')
  if (error.problem === 'form') return reasonFor('calling-form')
  return reasonFor(
    error.unknown !== undefined && renamed.has(error.unknown) ? 'calling-form' : 'missing-argument',
  )
}

/** @param repaired the call was rewritten into pymemcache's form */
export function reasonsBetween(
  { call: { call, args, kwargs }, before, after, refused }: ComparedCall,
  settings: TargetSettings,
  repaired: boolean,
): readonly Reason[] {
  if (refused) return []
  const same = sameOutcome(before, after)
  const isSent = !('raises' in after && refusedBeforeSending(after.raises))
  const found: Reason[] = []
  if (isSent && stores.has(call) && settings.plain && stored(call, args, kwargs).some(losesItsType))
    found.push({ ...reasonFor('pymemcache-serde'), stored: true })
  // A reader of a compressed item does not see the bytes that were appended to it.
  if (
    isSent &&
    (call === 'append' || call === 'prepend') &&
    settings.serde.toLowerCase().startsWith('compressed')
  )
    found.push({ ...reasonFor('pymemcache-serde'), stored: true })
  if (!repaired && meansOtherPositions(call, args.length)) found.push(reasonFor('pymemcache-positions'))
  if (stores.has(call) && isOversize(call, args, kwargs)) found.push(reasonFor('pymemcache-oversize'))
  if (same) return found
  if ('raises' in after) return [...found, ...ofException(call, before, after)]
  if ('raises' in before) {
    if (refusesKey(before.raises)) found.push(reasonFor('pymemcache-keys'))
    else if (settings.noreply && after.result === true) found.push(reasonFor('pymemcache-noreply'))
    else if (argumentErrors.has(before.raises.class)) found.push(reasonFor('argument-type'))
    else if (before.raises.class.startsWith('pylibmc.') && !foundOnlyHere(before.raises, after.result))
      found.push(
        reasonFor(settings.ignoreExc && reads.has(call) ? 'pymemcache-failures' : 'pymemcache-results'),
      )
    return found
  }
  if (equalForPython(before.result, after.result))
    found.push(reasonFor(reads.has(call) ? 'pymemcache-serde' : 'pymemcache-results'))
  else if (reads.has(call)) {
    if (valueOnlyReadOtherwise(before.result, after.result, settings.plain))
      found.push(reasonFor('pymemcache-serde'))
  } else if (
    call === 'delete' &&
    before.result === 1 &&
    after.result === false &&
    !args.slice(1).some(Boolean) &&
    waits(kwargs.noreply, settings)
  )
    found.push(reasonFor('pymemcache-delete'))
  // python-memcached stores without comparing where it has no unique.
  else if (call === 'cas' && before.result === true) found.push(reasonFor('gets-and-cas'))
  else if (
    stores.has(call) ||
    call === 'touch' ||
    call === 'delete' ||
    call === 'delete_multi' ||
    call === 'flush_all'
  ) {
    // It always returns None.
    if (call === 'flush_all' && before.result === null) found.push(reasonFor('pymemcache-results'))
    // It always returns True, with and without waiting.
    else if (call === 'delete_multi') found.push(reasonFor('pymemcache-results'))
    else if (after.result === true && (settings.noreply || isTrue(kwargs.noreply)))
      found.push(reasonFor('pymemcache-noreply'))
    else if (call === 'set_multi' && Array.isArray(after.result) && settings.noreply)
      found.push(reasonFor('pymemcache-noreply'))
    else if (call === 'flush_all' || call === 'touch') found.push(reasonFor('pymemcache-results'))
    else if (falsy(before.result) && falsy(after.result)) found.push(reasonFor('pymemcache-results'))
  } else if (counts.has(call) && falsy(before.result) && falsy(after.result))
    found.push(reasonFor('pymemcache-results'))
  if (call === 'check_key') found.push(reasonFor('pymemcache-keys'))
  return found
}

/** Exceptions of Python for arguments of the wrong type or range. */
const argumentErrors = new Set(
  ['TypeError', 'ValueError', 'AttributeError', 'OverflowError'].map((name) => `builtins.${name}`),
)

/** Exceptions of Python for keys: a tuple as key in 1.55 to 1.59, and text or bytes without a counterpart. */
const keyErrors = new Set(
  ['KeyError', 'UnicodeDecodeError', 'UnicodeEncodeError'].map((name) => `builtins.${name}`),
)

/** Whether the client refused an argument. Errors of the socket count too, because nothing is known about the item then. */
function refusedBeforeSending({ refused, class: name }: Raised): boolean {
  return (refused !== undefined && refused !== 'size') || name.startsWith('builtins.')
}

/** Whether only pymemcache has the item. An earlier difference is the reason then. */
function foundOnlyHere({ class: name }: Raised, result: TypedJson): boolean {
  return name === 'pylibmc.NotFound' && result !== null && result !== false
}

function refusesKey({ refused, class: name }: Raised): boolean {
  return refused === 'key' || keyErrors.has(name)
}

/** The reason of an argument that pymemcache refused. */
const ofInput = {
  key: 'pymemcache-keys',
  value: 'pymemcache-text',
  cas: 'gets-and-cas',
  number: 'argument-type',
  size: 'pymemcache-oversize',
} as const

function ofException(
  call: string,
  before: Outcome,
  { raises }: Outcome & { readonly raises: Raised },
): readonly Reason[] {
  const name = raises.class.slice(raises.class.lastIndexOf('.') + 1)
  switch (name) {
    case 'MemcacheIllegalInputError':
      return [reasonFor(ofInput[raises.refused ?? 'number'])]
    case 'MemcacheUnknownCommandError':
    case 'MemcacheUnknownError':
      return [reasonFor('pymemcache-unread')]
    case 'MemcacheClientError':
      return [reasonFor(counts.has(call) ? 'pymemcache-counters' : 'argument-type')]
    case 'MemcacheServerError':
      return [reasonFor(raises.refused === 'size' ? 'pymemcache-oversize' : 'pymemcache-failures')]
    case 'TypeError':
    case 'AttributeError':
      return 'raises' in before && refusesKey(before.raises)
        ? [reasonFor('pymemcache-keys')]
        : [reasonFor('argument-type')]
    case 'KeyError':
      return [reasonFor('argument-type')]
    case 'UnicodeDecodeError':
    case 'UnicodeEncodeError':
      return [reasonFor('pymemcache-serde')]
    case 'ValueError':
      return reads.has(call) ? [reasonFor('pymemcache-serde')] : [reasonFor('argument-type')]
    default:
      return /Error$/.test(name) ? [reasonFor('pymemcache-failures')] : []
  }
}

function stored(
  call: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): readonly unknown[] {
  if (call !== 'set_multi') return args.length > 1 ? [args[1]] : [kwargs.val ?? kwargs.value]
  const mapping = args[0] ?? kwargs.mapping ?? kwargs.keys ?? kwargs.values
  if (mapping instanceof Map) return [...mapping.values()]
  return isRecord(mapping) ? Object.values(mapping) : []
}

/** Text and integers are read as their bytes, which can be recognized; every other value is read as its `str()`. */
function losesItsType(value: unknown): boolean {
  return value !== undefined && !(value instanceof Uint8Array)
}

/** Bytes of a page's largest item, with some room for its header. */
const serverLimit = 1024 * 1024

function isOversize(
  call: string,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): boolean {
  return stored(call, args, kwargs).some(
    (value) =>
      (typeof value === 'string' || value instanceof Uint8Array) && value.length >= serverLimit - 512,
  )
}

/** Positions with another meaning in pymemcache: noreply, flags. */
function meansOtherPositions(call: string, given: number): boolean {
  if (call === 'delete' || call === 'delete_multi') return given > 1
  if (call === 'set_multi') return given > 2
  return stores.has(call) && given > 3
}

/** Whether a call waits, from its argument noreply or from the default. */
function waits(noreply: unknown, settings: TargetSettings): boolean {
  return noreply === undefined || noreply === null ? !settings.noreply : !isTrue(noreply)
}

function isTrue(noreply: unknown): boolean {
  return noreply !== undefined && noreply !== null && noreply !== false && noreply !== 0
}

function falsy(value: TypedJson): boolean {
  return (
    value === null ||
    value === false ||
    value === 0 ||
    value === '' ||
    (Array.isArray(value) && value.length === 0)
  )
}

function equalForPython(one: TypedJson, other: TypedJson): boolean {
  const number = (value: TypedJson) =>
    typeof value === 'boolean' ? Number(value) : typeof value === 'number' ? value : undefined
  const [a, b] = [number(one), number(other)]
  return a !== undefined && a === b
}

/** The same items, whose values the two libraries read as other types. */
function valueOnlyReadOtherwise(one: TypedJson, other: TypedJson, plain: boolean): boolean {
  const [before, after] = [fromTypedJson(one), fromTypedJson(other)]
  const [a, b] = [
    before instanceof PyTuple ? before.items[0] : before,
    after instanceof PyTuple ? after.items[0] : after,
  ]
  if (a instanceof Map && b instanceof Map) {
    const texts = (map: Map<unknown, unknown>) => [...map.keys()].map(String).sort().join('\n')
    return texts(a) === texts(b)
  }
  if (isRecord(a) && isRecord(b)) return Object.keys(a).sort().join('\n') === Object.keys(b).sort().join('\n')
  const missing = (value: unknown) => value === null || value === undefined
  // An item that only one side has is not a difference of reading: an earlier call explains it.
  if (missing(b) ? !missing(a) : missing(a) && !plain) return false
  if (!plain || !(b instanceof Uint8Array)) return b instanceof Uint8Array || a instanceof Uint8Array
  const text = Buffer.from(b).toString('latin1')
  if (a === null || a === undefined) return text === 'None'
  return (a instanceof Uint8Array ? Buffer.from(a).toString('latin1') : pythonText(a)) === text
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
