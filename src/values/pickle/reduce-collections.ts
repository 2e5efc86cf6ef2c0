/** Collections, and the types of bytes and sets that old protocols write as calls. Source: CPython's collections and pickle. */

import { PyByteArray, PyFrozenSet, PyTuple, PythonObject } from '../classes/built-ins.js'
import { PyCounter, PyDefaultDict, PyDeque, PyOrderedDict } from '../classes/collections.js'
import { standIn } from '../classes/stand-ins.js'
import { type Construct, itemsOf, type Reading, type Reduction } from './reduction.js'
import { type Hashables, hashable } from './write/hashable.js'

const LATIN1 = Buffer.from('latin-1')

/** Protocols 0–2 write bytes as Latin-1 text with a call that encodes it. */
const encode: Construct = ([text, encoding], reading) => {
  if (typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) return undefined
  reading.spend(text.length)
  if (/[^\0-\xff]/.test(text)) return undefined
  return Buffer.from(text, 'latin1')
}

const bytearray: Construct = ([content, encoding], reading) => {
  let bytes: Buffer
  if (content === undefined) bytes = Buffer.alloc(0)
  else if (content instanceof Uint8Array) {
    reading.spend(content.length)
    bytes = Buffer.from(content)
  } else if (typeof content === 'string' && isLatin1(encoding)) {
    reading.spend(content.length)
    bytes = Buffer.from(content, 'latin1')
  } else return undefined
  return reading.preserve ? new PyByteArray(bytes) : standIn(bytes)
}

/** Python 2 writes the name of the encoding as a byte string. */
function isLatin1(encoding: unknown): boolean {
  return encoding === 'latin-1' || (encoding instanceof Uint8Array && Buffer.from(encoding).equals(LATIN1))
}

function setOf(args: readonly unknown[], reading: Reading): Set<unknown> | undefined {
  const items = args.length === 0 ? [] : itemsOf(args[0])
  if (!items) return undefined
  reading.spendOnSet(items.length)
  reading.checkKeys(items)
  return new Set(items)
}

/** A dict, or a list of pairs, as entries. */
function entriesOf(value: unknown, reading: Reading): [unknown, unknown][] | undefined {
  if (value instanceof Map) {
    reading.spendOnDict(value.size)
    return [...value]
  }
  const pairs = itemsOf(value)
  if (pairs) {
    reading.spendOnDict(pairs.length)
    const entries = pairs.map(itemsOf)
    if (!entries.every((pair) => pair?.length === 2)) return undefined
    reading.checkKeys(entries.map((pair) => pair![0]))
    return entries as [unknown, unknown][]
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return undefined
  const entries = Object.entries(value)
  reading.spendOnDict(entries.length)
  return entries
}

const deque: Construct = ([content, maxlen = null], reading) => {
  const items = content === undefined ? [] : itemsOf(content)
  if (!items || (maxlen !== null && typeof maxlen !== 'number')) return undefined
  reading.spendOnList(0, items.length)
  return new PyDeque([...items], maxlen)
}

/** Written as a call of the class, with items and, in rare cases, attributes. */
function call(type: unknown, args: readonly unknown[], attributes: unknown): PythonObject {
  const object = new PythonObject(type, args, 'call')
  object.state = attributes
  object.hasState = attributes !== undefined
  return object
}

function withEntries(object: PythonObject, entries: Iterable<[unknown, unknown]>): PythonObject {
  const known: Hashables = new Map()
  for (const [key, value] of entries) object.dictItems.push([hashable(key, known), value])
  return object
}

export const collections: readonly Reduction[] = [
  { module: '_codecs', name: 'encode', construct: encode },
  {
    module: 'builtins',
    name: 'bytes',
    construct: (args) => (args.length === 0 ? Buffer.alloc(0) : undefined),
  },
  { module: 'builtins', name: 'bytearray', construct: bytearray },
  {
    module: 'builtins',
    name: 'set',
    construct: setOf,
  },
  {
    module: 'builtins',
    name: 'frozenset',
    construct(args, reading) {
      const set = setOf(args, reading)
      if (!set) return undefined
      return reading.preserve ? new PyFrozenSet(set) : standIn(set)
    },
  },
  {
    module: 'collections',
    name: 'OrderedDict',
    construct(args, reading) {
      if (args.length === 0) return new PyOrderedDict()
      const entries = entriesOf(args[0], reading)
      return entries && new PyOrderedDict(entries)
    },
    type: PyOrderedDict,
    reduce: (value: PyOrderedDict, type) => withEntries(call(type, [], value.attributes), value),
  },
  {
    module: 'collections',
    name: 'defaultdict',
    construct: (args) => (args.length <= 1 ? new PyDefaultDict(args[0] ?? null) : undefined),
    type: PyDefaultDict,
    reduce(value: PyDefaultDict, type) {
      return withEntries(call(type, value.factory === null ? [] : [value.factory], value.attributes), value)
    },
  },
  {
    module: 'collections',
    name: 'Counter',
    construct(args, reading) {
      const entries = args.length === 0 ? [] : entriesOf(args[0], reading)
      return entries && new PyCounter(entries)
    },
    type: PyCounter,
    reduce: (value: PyCounter, type) => call(type, [new Map(value)], value.attributes),
  },
  {
    module: 'collections',
    name: 'deque',
    construct: deque,
    type: PyDeque,
    reduce(value: PyDeque, type) {
      const args = value.maxlen === null ? [] : [new PyTuple([]), value.maxlen]
      const object = call(type, args, value.attributes)
      for (const item of value.items) object.listItems.push(item)
      return object
    },
  },
]
