/**
 * Reads and writes JSON like Python's json module: integers of any length, NaN and Infinity, and escapes for all characters that are not ASCII.
 * Source: fixtures/vectors/framework-values.json (CPython 3.11).
 */
import { shown } from '../ground/arguments.js'
import { ValueError } from '../python/errors.js'
import { floatRepr, integerText } from '../python/repr.js'
import { PyFloat, PyTuple } from '../values/index.js'

/** Python's reader fails at about this depth because of its recursion limit. */
const MAX_DEPTH = 900

/** The options of writing. */
export interface JsonWriting {
  /** The separator between items, and the one between a key and its value. Default `', '` and `': '`, as in Python. */
  readonly separators?: readonly [item: string, key: string]
  /** Converts a value that JSON lacks into one that it has; undefined if there is none. */
  readonly convert?: (value: object) => unknown
}

/** The options of reading. */
export interface JsonReading {
  /** Returns floats as `PyFloat`, and an object whose keys would change their order in JavaScript (`'1'`) as a Map. Default false. */
  readonly preserve?: boolean | undefined
  /** Converts objects, innermost first. */
  readonly convert?: (object: Record<string, unknown>) => unknown
}

/**
 * `json.dumps(value)`. Maps and plain objects are objects, arrays and tuples are arrays.
 * @throws TypeError for a value without a JSON form, ValueError for a value that is part of itself or nested deeper than 900
 */
export function writeJson(value: unknown, { separators, convert }: JsonWriting = {}): string {
  const [comma, colon] = separators ?? [', ', ': ']
  const open = new Set<object>()
  return write(value)

  function write(item: unknown): string {
    if (item === null || typeof item === 'boolean') return String(item)
    if (typeof item === 'string') return quoted(item)
    if (typeof item === 'bigint') return integerText(item)
    if (typeof item === 'number') return numberText(item)
    if (item instanceof PyFloat) return floatText(item.value)
    if (typeof item !== 'object') throw noJson(item)
    if (open.has(item)) throw new ValueError('Circular reference detected')
    if (open.size >= MAX_DEPTH) throw new ValueError(`the value is nested deeper than ${MAX_DEPTH} levels`)
    open.add(item)
    const text = container(item)
    open.delete(item)
    return text
  }

  function container(item: object): string {
    if (Array.isArray(item)) return `[${Array.from(item, write).join(comma)}]`
    if (item instanceof PyTuple) return `[${item.items.map(write).join(comma)}]`
    if (item instanceof Map) return object(item)
    const prototype = Object.getPrototypeOf(item)
    if (prototype === Object.prototype || prototype === null) return object(Object.entries(item))
    const converted = convert?.(item)
    if (converted === undefined) throw noJson(item)
    return write(converted)
  }

  function object(entries: Iterable<readonly [unknown, unknown]>): string {
    const parts = Array.from(entries, ([key, item]) => `${quoted(keyText(key))}${colon}${write(item)}`)
    return `{${parts.join(comma)}}`
  }
}

/** Sets a property without the setter of `__proto__`. */
export function toObject(entries: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  return Object.fromEntries(entries)
}

/** Writes a key that is not text as its JSON, as Python does. */
function keyText(key: unknown): string {
  if (typeof key === 'string') return key
  if (typeof key === 'bigint') return integerText(key)
  if (key === null || typeof key === 'boolean') return String(key)
  if (typeof key === 'number') return numberText(key)
  if (key instanceof PyFloat) return floatText(key.value)
  throw new TypeError(`keys must be text, numbers, booleans or null, not ${shown(key)}`)
}

function noJson(value: unknown): TypeError {
  const kind = typeof value === 'object' ? (value?.constructor?.name ?? 'object') : typeof value
  return new TypeError(`a value of type ${kind} is not JSON serializable`)
}

function numberText(value: number): string {
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : floatText(value)
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  return floatRepr(value)
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const BLANKS = /[ \t\n\r]*/y
const NUMBER = /(-?(?:0|[1-9]\d*))(\.\d+)?([eE][-+]?\d+)?/y
const WORDS: Readonly<Record<string, unknown>> = {
  null: null,
  true: true,
  false: false,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}
const WORD = /null|true|false|NaN|-?Infinity/y

/**
 * `json.loads(text)`. An object becomes a plain object, an integer outside of the safe range a bigint.
 * @throws ValueError with the position of the error
 */
export function readJson(text: string, { preserve = false, convert }: JsonReading = {}): unknown {
  let at = 0
  blanks()
  const value = read(0)
  blanks()
  if (at < text.length) throw wrong('Extra data')
  return value

  function match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found) at = pattern.lastIndex
    return found
  }

  function blanks(): void {
    match(BLANKS)
  }

  function wrong(what: string): ValueError {
    return new ValueError(`${what}: char ${at}`)
  }

  function read(depth: number): unknown {
    if (depth > MAX_DEPTH) throw wrong(`nested deeper than ${MAX_DEPTH} levels`)
    const first = text[at]
    if (first === '"') return string()
    if (first === '{') return object(depth)
    if (first === '[') return array(depth)
    const word = match(WORD)
    if (word) return WORDS[word[0]]
    const number = match(NUMBER)
    if (number) return numeric(number)
    throw wrong('Expecting value')
  }

  function string(): string {
    const start = at
    let end = text.indexOf('"', start + 1)
    while (end >= 0 && isEscaped(end)) end = text.indexOf('"', end + 1)
    if (end < 0) throw wrong('Unterminated string starting at')
    try {
      const made: string = JSON.parse(text.slice(start, end + 1))
      at = end + 1
      return made
    } catch {
      throw wrong('Invalid control character or escape in the string starting at')
    }
  }

  /** Whether an odd number of backslashes precedes the position. */
  function isEscaped(index: number): boolean {
    let before = index - 1
    while (text[before] === '\\') before--
    return (index - before) % 2 === 0
  }

  function numeric([all, whole, fraction, exponent]: RegExpExecArray): unknown {
    if (fraction !== undefined || exponent !== undefined)
      return preserve ? new PyFloat(Number(all)) : Number(all)
    if (whole!.length > 4300) throw wrong('an integer of more than 4300 digits')
    const value = Number(whole)
    return Number.isSafeInteger(value) ? value + 0 : BigInt(whole!)
  }

  function array(depth: number): unknown[] {
    const items: unknown[] = []
    at++
    blanks()
    if (text[at] === ']') {
      at++
      return items
    }
    for (;;) {
      items.push(read(depth + 1))
      blanks()
      if (text[at] === ']') break
      comma()
    }
    at++
    return items
  }

  function object(depth: number): unknown {
    const entries: [string, unknown][] = []
    let moved = false
    at++
    blanks()
    while (text[at] !== '}') {
      if (text[at] !== '"') throw wrong('Expecting property name enclosed in double quotes')
      const key = string()
      blanks()
      if (text[at] !== ':') throw wrong("Expecting ':' delimiter")
      at++
      blanks()
      moved ||= /^\d/.test(key)
      entries.push([key, read(depth + 1)])
      blanks()
      if (text[at] === '}') break
      comma()
      if (text[at] !== '"') throw wrong('Expecting property name enclosed in double quotes')
    }
    at++
    const object = moved && preserve ? new Map(entries) : toObject(entries)
    return convert && !(object instanceof Map) ? convert(object) : object
  }

  function comma(): void {
    if (text[at] !== ',') throw wrong("Expecting ',' delimiter")
    at++
    blanks()
  }
}
