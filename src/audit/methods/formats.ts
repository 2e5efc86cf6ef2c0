/**
 * The argument formats of pylibmc's C functions: Python checks and converts all arguments, in the order of the signature, before the
 * function uses any of them. Source: docs/reference/pylibmc.md#3.1, #5; measured (`fixtures/vectors/calling-forms.json`).
 */
import { integer } from '../../pipeline/exptime.js'
import { OverflowError, UnicodeEncodeError } from '../../python/errors.js'
import { typeName } from '../../python/type-name.js'
import type { Bound } from './python-signatures.js'

/**
 * `text`: `str` or read-only bytes; `words`: `str` alone; `unsigned`: any integer, reduced modulo 2^32; `int`, `long`: an integer of
 * 32 or 64 bits.
 */
type Format = 'text' | 'words' | 'unsigned' | 'int' | 'long'
type Formats = readonly (readonly [parameter: string, format: Format])[]

const compression: Formats = [
  ['min_compress_len', 'unsigned'],
  ['compress_level', 'int'],
]
const store: Formats = [['key', 'text'], ['time', 'unsigned'], ...compression]
const storeMulti: Formats = [['time', 'unsigned'], ['key_prefix', 'text'], ...compression]
const counter: Formats = [
  ['key', 'text'],
  ['delta', 'int'],
]
const formats: Readonly<Record<string, Formats>> = {
  set: store,
  add: store,
  replace: store,
  append: store,
  prepend: store,
  cas: [
    ['key', 'text'],
    ['cas', 'long'],
    ['time', 'unsigned'],
  ],
  set_multi: storeMulti,
  add_multi: storeMulti,
  get_multi: [['key_prefix', 'text']],
  delete_multi: [['key_prefix', 'text']],
  incr_multi: [
    ['key_prefix', 'text'],
    ['delta', 'unsigned'],
  ],
  delete: [['key', 'text']],
  touch: [
    ['key', 'text'],
    ['seconds', 'unsigned'],
  ],
  incr: counter,
  decr: counter,
  get_stats: [['arg', 'words']],
}

const bits: Partial<Record<Format, bigint>> = { int: 31n, long: 63n }

/** @throws TypeError, OverflowError, UnicodeEncodeError as Python does for the first argument that does not fit */
export function checkFormats(call: string, bound: Bound): void {
  for (const [name, format] of formats[call] ?? []) {
    if (!(name in bound)) continue
    const value = bound[name]
    if (format === 'text' || format === 'words') checkText(value, format)
    else checkInteger(value, bits[format], call === 'touch' ? 'argument 2' : undefined)
  }
}

function checkText(value: unknown, format: 'text' | 'words'): void {
  if (typeof value === 'string') {
    if (/\p{Surrogate}/u.test(value)) throw new UnicodeEncodeError('surrogates not allowed')
  } else if (!(format === 'text' && value instanceof Uint8Array))
    throw new TypeError(`a bytes-like object is required, not '${typeName(value)}'`)
}

function checkInteger(value: unknown, size: bigint | undefined, argument: string | undefined): void {
  // Fits every format.
  if (typeof value === 'number' && (value | 0) === value) return
  const number = BigInt(integer(value, argument))
  if (size === undefined) return
  if (number >= 2n ** size || number < -(2n ** size))
    throw new OverflowError(`${number} does not fit into ${size + 1n} bits`)
}
