/** Arguments of a recorded call by their meaning, for the parameter names of both libraries. Source: docs/reference/python-memcached.md#10, docs/reference/pylibmc.md#5. */
import type { TypedJson } from '../../values/index.js'
import type { AuditedOperation } from '../compare/differ.js'

const storing: ReadonlySet<string> = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas'])
const storingMany: ReadonlySet<string> = new Set(['set_multi', 'add_multi'])

/** Values that a call stores; undefined for one that stores none. */
export function storedValues({ call, args, kwargs }: AuditedOperation): readonly TypedJson[] | undefined {
  if (storing.has(call)) {
    // None is a value.
    const value = args.length > 1 ? args[1] : kwargs.val
    return value === undefined ? undefined : [value]
  }
  if (!storingMany.has(call)) return undefined
  const mapping = args[0] ?? kwargs.mapping ?? kwargs.keys
  if (typeof mapping !== 'object' || mapping === null || Array.isArray(mapping)) return undefined
  const { $dict } = mapping as { readonly $dict?: TypedJson }
  if (Array.isArray($dict)) return $dict.map((pair) => (Array.isArray(pair) ? (pair[1] ?? null) : null))
  return Object.values(mapping)
}

/** The time of a call that can have one: 0 if none is given. */
export function timeOf({ call, args, kwargs }: AuditedOperation): TypedJson | undefined {
  // The third argument of pylibmc's cas is the CAS unique.
  if (call === 'cas') return kwargs.time
  if (call === 'touch') return args[1] ?? kwargs.time ?? 0
  if (storing.has(call)) return args[2] ?? kwargs.time ?? 0
  return storingMany.has(call) ? (args[1] ?? kwargs.time ?? 0) : undefined
}

/** The length of text or bytes before compression; undefined for pickled values. */
export function plainLength(value: TypedJson): number | undefined {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const { $bytes, $repeat } = value as { readonly $bytes?: TypedJson; readonly $repeat?: TypedJson }
  if (typeof $bytes === 'string') return $bytes.length
  if (!Array.isArray($repeat) || typeof $repeat[1] !== 'number') return undefined
  return (plainLength($repeat[0] ?? '') ?? 0) * $repeat[1]
}

const typeOfTag: Readonly<Record<string, string>> = {
  $int: 'int',
  $float: 'float',
  $bytes: 'bytes',
  $bytearray: 'bytearray',
  $complex: 'complex',
  $decimal: 'Decimal',
  $tuple: 'tuple',
  $set: 'set',
  $frozenset: 'frozenset',
  $dict: 'dict',
}

/** Python's name of the type of a value; objects of other classes have one common name. */
export function typeOf(value: TypedJson): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return 'int'
  if (typeof value === 'string') return 'str'
  if (Array.isArray(value)) return 'list'
  const [tag = ''] = Object.keys(value)
  if (tag === '$repeat') {
    const [unit] = (value as { readonly $repeat: readonly TypedJson[] }).$repeat
    return typeof unit === 'string' ? 'str' : 'bytes'
  }
  return tag.startsWith('$') ? (typeOfTag[tag] ?? 'an object of another class') : 'dict'
}
