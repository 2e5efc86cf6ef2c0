/**
 * The outcome of a call in Python's terms: a result as typed JSON or an exception by its Python class.
 * The shape is the one of recordings and traces (docs/formats.md).
 */
import { isDeepStrictEqual } from 'node:util'
import { MemcachedKeyError } from '../../compat/index.js'
import { checkObject, shown } from '../../ground/arguments.js'
import { MemcacheIllegalInputError } from '../../pymemcache/index.js'
import { pythonClass } from '../../python/errors.js'
import { BadKeyProvided } from '../../strict/index.js'
import { fromTypedJson, type TypedJson, toTypedJson } from '../../values/index.js'

/** An exception as recorded: the Python class with its module, and libmemcached's return code when it has one. */
export interface Raised {
  /** e.g. `pylibmc.NotFound`, `builtins.ValueError`, `memcache.MemcachedKeyLengthError`. */
  readonly class: string
  readonly retcode?: number | undefined
  readonly message?: string
  /** The refused argument, or `size` if the server refused the item's length; only in a replay, and only if the client knows it. */
  readonly refused?: MemcacheIllegalInputError['input'] | 'size' | undefined
}

/** The outcome of a call in Python's terms: a result as typed JSON (docs/formats.md), or an exception. */
export type Outcome = { readonly result: TypedJson } | { readonly raises: Raised }

/** The outcome of a call that returned. `undefined` is Python's None: our clients use it for "nothing". */
export function returned(value: unknown): Outcome {
  return { result: value === undefined ? null : toTypedJson(value) }
}

/** The outcome of a call that threw. An error that stands for no Python class is named `javascript.<name>`. */
export function raised(error: unknown): Outcome {
  const name = pythonClass(error) ?? `javascript.${error instanceof Error ? error.name : typeof error}`
  const retcode =
    typeof error === 'object' && error !== null && 'retcode' in error && typeof error.retcode === 'number'
      ? error.retcode
      : undefined
  const message = error instanceof Error ? error.message : shown(error)
  const refused = refusedBy(error)
  return {
    raises: {
      class: name,
      ...(retcode === undefined ? {} : { retcode }),
      message,
      ...(refused === undefined ? {} : { refused }),
    },
  }
}

function refusedBy(error: unknown): Raised['refused'] {
  if (error instanceof MemcacheIllegalInputError) return error.input
  if (error instanceof MemcachedKeyError || error instanceof BadKeyProvided) return 'key'
  return typeof error === 'object' && error !== null && 'refused' in error
    ? (error.refused as Raised['refused'])
    : undefined
}

/** Whether the process of the application ends in this call. */
export function endsProcess(outcome: Outcome): boolean {
  return 'raises' in outcome && outcome.raises.class === 'process.abort'
}

/** A built-in error of Python: the call was not made. */
export function refusedByPython(outcome: Outcome): boolean {
  return 'raises' in outcome && /^builtins\.(Type|Attribute)Error$/.test(outcome.raises.class)
}

/** Equal results, or exceptions of the same class and return code. Messages are not compared. */
export function sameOutcome(a: Outcome, b: Outcome): boolean {
  checkObject('a', a)
  checkObject('b', b)
  if ('raises' in a || 'raises' in b) {
    return (
      'raises' in a &&
      'raises' in b &&
      a.raises.class === b.raises.class &&
      a.raises.retcode === b.raises.retcode
    )
  }
  return sameValue(a.result, b.result)
}

/** Texts are compared only if the values are not plain and not equal part by part, because an audit compares at every call. */
function sameValue(a: TypedJson, b: TypedJson): boolean {
  if (alike(a, b)) return true
  const plain = typeof a !== 'object' || a === null || typeof b !== 'object' || b === null
  // Numbers that JSON cannot write (NaN, Infinity) are null in it.
  if (plain) return (typeof a === 'number' || typeof b === 'number') && canonical(a) === canonical(b)
  const [mine, theirs] = [canonical(a), canonical(b)]
  return mine === theirs || (mine.includes('"$pickle"') && theirs.includes('"$pickle"') && sameObjects(a, b))
}

/** Objects whose dicts have the same entries in another order: versions on Python 2 and 3 write them in different orders. */
function sameObjects(a: TypedJson, b: TypedJson): boolean {
  return isDeepStrictEqual(fromTypedJson(a), fromTypedJson(b))
}

/** Equal part by part, with `$dict` in the same order. */
function alike(a: TypedJson, b: TypedJson): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!alike(a[i]!, b[i]!)) return false
    return true
  }
  if (Array.isArray(b)) return false
  const [mine, theirs] = [a as Fields, b as Fields]
  let parts = 0
  for (const key in mine) {
    if (!Object.hasOwn(theirs, key) || !alike(mine[key]!, theirs[key]!)) return false
    parts++
  }
  return parts === Object.keys(theirs).length
}

type Fields = Readonly<Record<string, TypedJson>>

/** Dictionaries with the same entries are equal in every order, as in Python: `get_multi` answers server by server. */
function canonical(value: TypedJson): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    if ('$dict' in part && Array.isArray(part.$dict)) {
      return { $dict: part.$dict.map((pair) => JSON.stringify(pair)).sort() }
    }
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
  })
}

/** The effect of a difference on code that uses only the outcome. Worst first. */
export const impacts = ['raises', 'stops-raising', 'value', 'truth', 'spelling', 'state'] as const

/**
 * - `raises`: strict raises where compat returned
 * - `stops-raising`: the reverse, or another exception class
 * - `value`: both return, different values with the same truth
 * - `truth`: an `if` takes the other branch
 * - `spelling`: equal for Python (`1 == True`, `0 == False`), or both mean "done" without a value
 * - `state`: the outcome is the same, but the stored value or its server differs
 */
export type Impact = (typeof impacts)[number]

export function impactOf(compat: Outcome, strict: Outcome, same = sameOutcome(compat, strict)): Impact {
  if (same) return 'state'
  if ('raises' in strict && !('raises' in compat)) return 'raises'
  if ('raises' in compat || 'raises' in strict) return 'stops-raising'
  if (asNumber(compat.result) !== undefined && asNumber(compat.result) === asNumber(strict.result))
    return 'spelling'
  return truth(compat.result) === truth(strict.result) ? 'value' : 'truth'
}

/** Answers that depend on the server and the time; only their shape can be repeated. */
export const momentary = new Set(['get_stats', 'get_slabs', 'get_slab_stats', 'stats', 'version'])

function asNumber(value: TypedJson): number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  return typeof value === 'number' ? value : undefined
}

/** The truth value in Python. */
export function truth(value: TypedJson): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    const [tag, content] = entries[0] ?? []
    if (tag === undefined) return false
    if (tag === '$float' || tag === '$int') return Number(content) !== 0
    if (tag.startsWith('$') && (Array.isArray(content) || typeof content === 'string'))
      return content.length > 0
    return true
  }
  return Boolean(value)
}
