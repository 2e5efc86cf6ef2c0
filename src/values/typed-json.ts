/** Python values in JSON, as recordings, scenarios and traces write them (docs/formats.md). */
import { ValueError } from '../python/errors.js'
import { unpickle } from './pickle/reader.js'
import { floatRepr, parseFloatText } from './pickle/text.js'
import { pickle } from './pickle/writer.js'
import {
  PyByteArray,
  PyComplex,
  PyFloat,
  PyFrozenSet,
  PyIterator,
  PyTuple,
  PythonObject,
  PyView,
} from './python-values.js'

/** A Python value in JSON (docs/formats.md). */
export type TypedJson =
  | null
  | boolean
  | number
  | string
  | readonly TypedJson[]
  | { readonly [key: string]: TypedJson }

/** Text and bytes of at least this many units that repeat one character are written as `$repeat`. */
const REPEAT_FROM = 256
/** Protocol of `$pickle`. */
const PROTOCOL = 4

type Tagged = { readonly [tag: string]: TypedJson }

/** JSON → the lossless tree: floats are `PyFloat`, tuples `PyTuple`, dicts with other keys `Map`. @throws ValueError */
export function fromTypedJson(json: TypedJson): unknown {
  if (json === null || typeof json === 'boolean' || typeof json === 'number' || typeof json === 'string')
    return json
  if (Array.isArray(json)) return json.map(fromTypedJson)
  const object = json as Tagged
  const [tag] = Object.keys(object)
  if (tag === undefined || !tag.startsWith('$')) {
    return new Map(Object.entries(object).map(([key, value]) => [key, fromTypedJson(value)]))
  }
  const value = fromTagged(tag, object[tag]!, object)
  if (value instanceof PythonObject && '$base' in object) value.builtin = fromTypedJson(object.$base!)
  return value
}

function fromTagged(tag: string, content: TypedJson, whole: Tagged): unknown {
  switch (tag) {
    case '$iterator':
      return new PyIterator(list(tag, content).map(fromTypedJson), className(whole, 'iterator'))
    case '$view':
      return new PyView(list(tag, content).map(fromTypedJson), className(whole, 'dict_keys'))
    case '$int':
      return BigInt(text(tag, content))
    case '$float':
      return new PyFloat(float(text(tag, content)))
    case '$bytes':
      return Buffer.from(text(tag, content), 'latin1')
    case '$bytearray':
      return new PyByteArray(Buffer.from(text(tag, content), 'latin1'))
    case '$complex': {
      const [real, imag] = list(tag, content)
      return new PyComplex(float(text(tag, real!)), float(text(tag, imag!)))
    }
    case '$tuple':
      return new PyTuple(list(tag, content).map(fromTypedJson))
    case '$set':
      return new Set(list(tag, content).map(fromTypedJson))
    case '$frozenset':
      return new PyFrozenSet(new Set(list(tag, content).map(fromTypedJson)))
    case '$dict':
      return new Map(
        list(tag, content).map((pair) => list(tag, pair).map(fromTypedJson) as [unknown, unknown]),
      )
    case '$pickle':
      return unpickle(Buffer.from(text(tag, content), 'base64'), { preserve: true })
    case '$repeat': {
      const [unit, count] = list(tag, content)
      const value = fromTypedJson(unit!)
      if (typeof value === 'string') return value.repeat(Number(count))
      if (Buffer.isBuffer(value)) return Buffer.alloc(value.length * Number(count), value)
      throw new ValueError('$repeat needs text or bytes')
    }
    case '$unpicklable':
      throw new ValueError(`a value of ${JSON.stringify(content)}, which could not be recorded`)
    default:
      throw new ValueError(`unknown tag ${tag} in typed JSON`)
  }
}

/**
 * A value → JSON, canonical: equal values give equal text. Takes plain JavaScript values and the lossless tree.
 * @throws ValueEncodeError for values without a Python counterpart
 */
export function toTypedJson(value: unknown): TypedJson {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return repeated(value, (unit) => unit) ?? value
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? value : { $float: floatRepr(value) }
  }
  if (typeof value === 'bigint') {
    const safe = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    return safe ? Number(value) : { $int: value.toString() }
  }
  if (value instanceof PyFloat) return { $float: floatRepr(value.value) }
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value).toString('latin1')
    return repeated(bytes, (unit) => ({ $bytes: unit })) ?? { $bytes: bytes }
  }
  if (Array.isArray(value)) return value.map(toTypedJson)
  if (value instanceof PyTuple) return { $tuple: value.items.map(toTypedJson) }
  if (value instanceof Set) return { $set: sorted(value) }
  if (value instanceof PyFrozenSet) return { $frozenset: sorted(value.items) }
  if (value instanceof PyByteArray) return { $bytearray: value.bytes.toString('latin1') }
  if (value instanceof PyComplex) return { $complex: [floatRepr(value.real), floatRepr(value.imag)] }
  // Python's other dictionaries are Maps with a class of their own.
  if (value instanceof Map && Object.getPrototypeOf(value) === Map.prototype) return dict([...value])
  if (typeof value === 'object' && value !== null) {
    const prototype = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) return dict(Object.entries(value))
  }
  return { $pickle: pickle(value, { protocol: PROTOCOL }).toString('base64') }
}

function dict(entries: readonly (readonly [unknown, unknown])[]): TypedJson {
  const plain = entries.every(
    ([key]) => typeof key === 'string' && !key.startsWith('$') && !/^\d+$|^__proto__$/.test(key),
  )
  if (plain) return Object.fromEntries(entries.map(([key, value]) => [key, toTypedJson(value)]))
  return { $dict: entries.map(([key, value]) => [toTypedJson(key), toTypedJson(value)]) }
}

function sorted(items: Iterable<unknown>): TypedJson[] {
  const texts = [...items].map((item) => JSON.stringify(toTypedJson(item)))
  return texts.sort((a, b) => (a < b ? -1 : 1)).map((text) => JSON.parse(text))
}

function repeated(whole: string, unit: (character: string) => TypedJson): TypedJson | undefined {
  if (whole.length < REPEAT_FROM) return undefined
  const first = whole[0]!
  // Cheap refusals before the full comparison.
  if (whole.at(-1) !== first || whole[whole.length >> 1] !== first || whole !== first.repeat(whole.length))
    return undefined
  return { $repeat: [unit(first), whole.length] }
}

function float(text: string): number {
  const value = parseFloatText(text)
  if (value === undefined) throw new ValueError(`${JSON.stringify(text)} is no float`)
  return value
}

function className(whole: Tagged, usual: string): string {
  return typeof whole.$class === 'string' ? whole.$class : usual
}

function text(tag: string, content: TypedJson): string {
  if (typeof content !== 'string') throw new ValueError(`${tag} needs a string`)
  return content
}

function list(tag: string, content: TypedJson): readonly TypedJson[] {
  if (!Array.isArray(content)) throw new ValueError(`${tag} needs an array`)
  return content
}
