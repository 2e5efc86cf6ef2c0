/** Python values in JSON, as recordings, scenarios and traces write them (docs/formats.md). */

import { shown } from '../ground/arguments.js'
import { ValueError } from '../python/errors.js'
import { digitsOf, floatRepr } from '../python/repr.js'
import {
  PyByteArray,
  PyComplex,
  PyFloat,
  PyFrozenSet,
  PyIterator,
  PyTuple,
  PythonObject,
  PyUnpicklable,
  PyView,
} from './classes/built-ins.js'
import { PyDecimal } from './classes/numbers.js'
import { isStandIn } from './classes/stand-ins.js'
import { madeByNew } from './pickle/made-by-new.js'
import { clashes, LEAST_LONG } from './pickle/read/hash-flood.js'
import { unpickle } from './pickle/read/reader.js'
import { parseFloatText } from './pickle/text.js'
import { pickle } from './pickle/write/writer.js'

/** A Python value in JSON (docs/formats.md). */
export type TypedJson =
  | null
  | boolean
  | number
  | string
  | readonly TypedJson[]
  | { readonly [key: string]: TypedJson }

/** The shortest text or bytes of one repeated character that are written as `$repeat`. */
const REPEAT_FROM = 256
/** The protocol that gives objects one form, independent of the protocol that they were read from. */
const comparable = [{ className: 'object', type: PythonObject, write: madeByNew }]
/** The protocol of `$pickle`. */
const PROTOCOL = 4
/** The deepest nesting of lists, tuples, sets and dicts, tags included. A deeper value is written as `$pickle`, as the recorders do. */
const MAX_DEPTH = 1000
const MAX_WRITTEN_DEPTH = 400
/** The largest number of values that are written. A shared value counts at each place. */
const MAX_VALUES = 1_000_000
/** The most characters and bytes that all `$repeat` of one value may produce together. */
const MAX_REPEATED = 64 * 1024 * 1024
/** The longest integer that Python reads or writes as text (`sys.int_info.default_max_str_digits`). */
const MAX_DIGITS = 4300

type Tagged = { readonly [tag: string]: TypedJson }

/**
 * Reads JSON without loss: floats become `PyFloat`, tuples `PyTuple`, dicts with keys that are not text `Map`.
 * @throws ValueError for a tag that is unknown or has the wrong content, for nesting deeper than 1000, for `$repeat` over 64 MiB in
 *   all, for `$int` over 4300 digits and for keys that were chosen to have equal hashes; the errors of `unpickle` for `$pickle`
 */
export function fromTypedJson(json: TypedJson): unknown {
  if (json === null || typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean')
    return json
  return new TreeReader().read(json, 0)
}

/** The reading of one value, with its remaining budget. */
class TreeReader {
  private repeatsLeft = MAX_REPEATED

  read(json: TypedJson, depth: number): unknown {
    if (json === null || typeof json === 'boolean' || typeof json === 'number' || typeof json === 'string')
      return json
    if (typeof json !== 'object')
      throw new ValueError(`typed JSON holds no ${typeof json}: it is what JSON.parse returns`)
    if (depth >= MAX_DEPTH) throw new ValueError(`typed JSON is nested deeper than ${MAX_DEPTH}`)
    if (Array.isArray(json)) return this.all(json, depth)
    const object = json as Tagged
    const [tag] = Object.keys(object)
    if (tag === undefined || !tag.startsWith('$')) {
      const dict = new Map<string, unknown>()
      for (const key of Object.keys(object)) dict.set(key, this.read(object[key]!, depth + 1))
      return dict
    }
    const value = this.tagged(tag, object[tag]!, depth, object)
    if (value instanceof PythonObject && Object.hasOwn(object, '$base'))
      value.builtin = this.read(object.$base!, depth + 1)
    return value
  }

  private all(parts: readonly TypedJson[], depth: number): unknown[] {
    return parts.map((part) => this.read(part, depth + 1))
  }

  private tagged(tag: string, content: TypedJson, depth: number, whole: Tagged): unknown {
    switch (tag) {
      case '$iterator':
        return new PyIterator(this.all(list(tag, content), depth), className(whole, 'iterator'))
      case '$view':
        return new PyView(this.all(list(tag, content), depth), className(whole, 'dict_keys'))
      case '$int':
        return integer(text(tag, content))
      case '$float':
        return new PyFloat(float(text(tag, content)))
      case '$bytes':
        return bytes(tag, content)
      case '$decimal':
        return decimal(text(tag, content))
      case '$bytearray':
        return new PyByteArray(bytes(tag, content))
      case '$complex': {
        const [real, imag] = list(tag, content, 2)
        return new PyComplex(float(text(tag, real!)), float(text(tag, imag!)))
      }
      case '$tuple':
        return new PyTuple(this.all(list(tag, content), depth))
      case '$set':
        return this.members(tag, content, depth)
      case '$frozenset':
        return new PyFrozenSet(this.members(tag, content, depth))
      case '$dict': {
        const entries = list(tag, content).map((pair) => this.all(list(tag, pair, 2), depth))
        checkKeys(
          tag,
          entries.map(([key]) => key),
        )
        return new Map(entries as [unknown, unknown][])
      }
      case '$pickle':
        return unpickle(Buffer.from(text(tag, content), 'base64'), { preserve: true })
      case '$repeat':
        return this.repeated(tag, content, depth)
      case '$unpicklable':
        return unpicklable(text(tag, content), whole)
      default:
        throw new ValueError(`unknown tag ${shown(tag)} in typed JSON`)
    }
  }

  private members(tag: string, content: TypedJson, depth: number): Set<unknown> {
    const members = this.all(list(tag, content), depth)
    checkKeys(tag, members)
    return new Set(members)
  }

  private repeated(tag: string, content: TypedJson, depth: number): string | Buffer {
    const [unit, count] = list(tag, content, 2)
    if (!Number.isSafeInteger(count) || (count as number) < 0)
      throw new ValueError(`${tag} needs a whole number of times from 0, not ${shown(count)}`)
    const times = count as number
    const value = this.read(unit!, depth + 1)
    if (typeof value !== 'string' && !Buffer.isBuffer(value))
      throw new ValueError(`${tag} needs text or bytes`)
    this.repeatsLeft -= value.length * times
    if (this.repeatsLeft < 0) throw new ValueError(`${tag} makes more than ${MAX_REPEATED} characters`)
    return typeof value === 'string' ? value.repeat(times) : Buffer.alloc(value.length * times, value)
  }
}

/** @param whole may name the exceptions that pickling raised: `$raises`, and `$raises0` for protocols 0 and 1 */
function unpicklable(className: string, whole: Tagged): PyUnpicklable {
  const { $raises, $raises0 } = whole
  const raises = $raises === undefined ? undefined : text('$raises', $raises)
  return new PyUnpicklable(className, raises, $raises0 === undefined ? undefined : text('$raises0', $raises0))
}

/** Checks keys before they are put into a Map or a Set. */
function checkKeys(tag: string, keys: readonly unknown[]): void {
  if (keys.length >= LEAST_LONG && clashes(keys))
    throw new ValueError(`the ${keys.length} keys of ${tag} are chosen so that their hashes clash`)
}

/**
 * Writes a value as canonical JSON: equal values give equal text. It accepts plain JavaScript values and the classes for Python's types. A value that
 * contains itself, is nested deeper than 400 or has over a million parts becomes one `$pickle`, as in the recorders.
 * @throws ValueEncodeError for values without a Python counterpart
 */
export function toTypedJson(value: unknown): TypedJson {
  if (value === null || typeof value === 'boolean') return value
  try {
    return new TreeWriter().write(value, 0)
  } catch (error) {
    if (error === NO_TREE) return pickled(value)
    throw error
  }
}

function pickled(value: unknown): TypedJson {
  return { $pickle: pickle(value, { protocol: PROTOCOL, converters: comparable }).toString('base64') }
}

/** Thrown for a value that has to be written as `$pickle`: it contains itself, is too deep, or has too many parts. */
const NO_TREE = Symbol('no tree')

/** The writing of one value, with its remaining budget. */
class TreeWriter {
  private valuesLeft = MAX_VALUES

  write(value: unknown, depth: number): TypedJson {
    if (depth > MAX_WRITTEN_DEPTH || --this.valuesLeft < 0) throw NO_TREE
    if (value === null || typeof value === 'boolean') return value
    if (typeof value === 'string') return repeated(value, (unit) => unit) ?? value
    if (typeof value === 'number') {
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? value : { $float: floatRepr(value) }
    }
    if (typeof value === 'bigint') {
      const safe = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
      if (safe) return Number(value)
      return digitsOf(value) === undefined ? pickled(value) : { $int: value.toString() }
    }
    if (value instanceof PyFloat) return { $float: floatRepr(value.value) }
    if (value instanceof Uint8Array) {
      if (isStandIn(value)) return { $bytearray: Buffer.from(value).toString('latin1') }
      const bytes = Buffer.from(value).toString('latin1')
      return repeated(bytes, (unit) => ({ $bytes: unit })) ?? { $bytes: bytes }
    }
    if (Array.isArray(value)) {
      const items = this.all(value, depth)
      return isStandIn(value) ? { $tuple: items } : items
    }
    if (value instanceof PyTuple) return { $tuple: this.all(value.items, depth) }
    if (value instanceof Set) {
      const members = this.sorted(value, depth)
      return isStandIn(value) ? { $frozenset: members } : { $set: members }
    }
    if (value instanceof PyFrozenSet) return { $frozenset: this.sorted(value.items, depth) }
    if (value instanceof PyByteArray) return { $bytearray: value.bytes.toString('latin1') }
    if (value instanceof PyUnpicklable) return { $unpicklable: value.className }
    if (value instanceof PyComplex) return { $complex: [floatRepr(value.real), floatRepr(value.imag)] }
    // Python's other dictionaries are Maps with a class of their own.
    if (value instanceof Map && Object.getPrototypeOf(value) === Map.prototype)
      return this.plainDict(value, depth) ?? this.dict([...value], depth)
    if (typeof value === 'object') {
      const prototype = Object.getPrototypeOf(value)
      if (prototype === Object.prototype || prototype === null) return this.dict(Object.entries(value), depth)
    }
    return pickled(value)
  }

  private all(values: readonly unknown[], depth: number): TypedJson[] {
    return values.map((value) => this.write(value, depth + 1))
  }

  /** Writes a dict whose keys need no tag, the usual case; undefined for other dicts. */
  private plainDict(map: ReadonlyMap<unknown, unknown>, depth: number): TypedJson | undefined {
    for (const key of map.keys()) if (typeof key !== 'string' || !isPlainName(key)) return undefined
    const object: Record<string, TypedJson> = {}
    for (const [key, value] of map as ReadonlyMap<string, unknown>) object[key] = this.write(value, depth + 1)
    return object
  }

  private dict(entries: readonly (readonly [unknown, unknown])[], depth: number): TypedJson {
    const plain = entries.every(([key]) => typeof key === 'string' && isPlainName(key))
    if (plain) return Object.fromEntries(entries.map(([key, value]) => [key, this.write(value, depth + 1)]))
    return { $dict: entries.map((pair) => this.all(pair, depth)) }
  }

  private sorted(items: Iterable<unknown>, depth: number): TypedJson[] {
    const texts = this.all([...items], depth).map((item) => JSON.stringify(item))
    return texts.sort((a, b) => (a < b ? -1 : 1)).map((text) => JSON.parse(text))
  }
}

const DOLLAR = 0x24
const UNDERSCORE = 0x5f
const [DIGIT_0, DIGIT_9] = [0x30, 0x39]

/** Whether a key is no tag, and keeps its place in an object. */
function isPlainName(key: string): boolean {
  const first = key.charCodeAt(0)
  if (first === DOLLAR) return false
  if (first === UNDERSCORE) return key !== '__proto__'
  return !(first >= DIGIT_0 && first <= DIGIT_9 && /^\d+$/.test(key))
}

function repeated(whole: string, unit: (character: string) => TypedJson): TypedJson | undefined {
  if (whole.length < REPEAT_FROM) return undefined
  const first = whole[0]!
  // Two cheap checks that refuse most texts before the full comparison.
  if (whole.at(-1) !== first || whole[whole.length >> 1] !== first || whole !== first.repeat(whole.length))
    return undefined
  return { $repeat: [unit(first), whole.length] }
}

function float(text: string): number {
  const value = parseFloatText(text)
  if (value === undefined) throw new ValueError(`${shown(text)} is not a float`)
  return value
}

function decimal(content: string): PyDecimal {
  try {
    return new PyDecimal(content)
  } catch {
    throw new ValueError(`$decimal ${shown(content)} is not a decimal number`)
  }
}

function className(whole: Tagged, usual: string): string {
  return typeof whole.$class === 'string' ? whole.$class : usual
}

function integer(text: string): bigint {
  if (!/^[+-]?\d+$/.test(text)) throw new ValueError(`$int ${shown(text)} is not an integer`)
  if (text.length > MAX_DIGITS + 1) throw new ValueError(`$int has more than ${MAX_DIGITS} digits`)
  return BigInt(text)
}

function bytes(tag: string, content: TypedJson): Buffer {
  const written = text(tag, content)
  if (/[^\0-\xff]/.test(written))
    throw new ValueError(`${tag} holds a character above U+00FF: bytes are one per character`)
  return Buffer.from(written, 'latin1')
}

function text(tag: string, content: TypedJson): string {
  if (typeof content !== 'string') throw new ValueError(`${tag} needs a string`)
  return content
}

function list(tag: string, content: TypedJson, length?: number): readonly TypedJson[] {
  if (!Array.isArray(content)) throw new ValueError(`${tag} needs an array`)
  if (length !== undefined && content.length !== length)
    throw new ValueError(`${tag} needs an array of ${length}, not of ${content.length}`)
  return content
}
