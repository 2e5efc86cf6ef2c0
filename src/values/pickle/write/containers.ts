/** Bytes, lists, tuples, dicts and sets as CPython's C pickler writes them. */
import { PyGlobal } from '../../classes/built-ins.js'
import { isStandIn } from '../../classes/stand-ins.js'
import { op } from '../opcodes.js'
import { FreshText } from '../reduction.js'
import { addItems, saveReduce } from './objects.js'
import type { Pickler } from './pickler.js'

const BATCH = 1000
/** Python has a single object for each of these, so that all their occurrences share it. */
const sharedBytes = Array.from({ length: 257 }, () => ({}))
const bytesType = new PyGlobal('builtins', 'bytes')
const bytearrayType = new PyGlobal('builtins', 'bytearray')
const setType = new PyGlobal('builtins', 'set')
const frozensetType = new PyGlobal('builtins', 'frozenset')
const encode = new PyGlobal('_codecs', 'encode')

/** CPython makes new bytes for a bytearray, even where it has a single object for bytes of that content. */
const unshared = new WeakSet<Uint8Array>()

export function saveBytes(p: Pickler, value: Uint8Array): void {
  if (isStandIn(value)) return saveByteArray(p, value, value)
  const key = sharedKey(value)
  const known = p.objects.get(key)
  if (known !== undefined) return p.get(known)
  if (p.protocol >= 3) {
    p.out.payload(op.SHORT_BINBYTES, op.BINBYTES, op.BINBYTES8, value)
    p.memoize(key)
  } else if (value.length === 0) {
    saveReduce(p, bytesType, [], key)
  } else {
    const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
    saveReduce(p, encode, [new FreshText(text), 'latin1'], key)
  }
}

export function sharedKey(value: Uint8Array): object {
  if (value.length === 0) return sharedBytes[256]!
  return value.length === 1 && !unshared.has(value) ? sharedBytes[value[0]!]! : value
}

/** @param memoKey the value that these bytes are the content of */
export function saveByteArray(p: Pickler, content: Uint8Array, memoKey: object): void {
  if (p.protocol >= 5) {
    p.out.payload(undefined, undefined, op.BYTEARRAY8, content)
    p.memoize(memoKey)
  } else {
    const bytes = Buffer.from(content)
    unshared.add(bytes)
    saveReduce(p, bytearrayType, bytes.length === 0 ? [] : [bytes], memoKey)
  }
}

export function saveList(p: Pickler, list: readonly unknown[]): void {
  if (isStandIn(list)) return saveTuple(p, list, list)
  if (p.bin) p.out.byte(op.EMPTY_LIST)
  else p.out.text('(l')
  p.memoize(list)
  const { length } = list
  if (!p.bin || length === 1) {
    for (const item of list) {
      p.save(item)
      p.out.byte(op.APPEND)
    }
    return
  }
  for (let from = 0; from < length; from += BATCH) {
    p.out.byte(op.MARK)
    const end = Math.min(length, from + BATCH)
    for (let i = from; i < end; i++) p.save(list[i])
    p.out.byte(op.APPENDS)
  }
}

/** @param memoKey the value that these items belong to */
export function saveTuple(p: Pickler, items: readonly unknown[], memoKey: object): void {
  if (writeTuple(p, items, memoKey)) p.memoize(memoKey)
}

/** @returns whether the tuple has to be memoized: not if it is empty, or was fetched from the memo */
export function writeTuple(p: Pickler, items: readonly unknown[], memoKey: object): boolean {
  const { out, bin } = p
  if (items.length === 0) {
    if (bin) out.byte(op.EMPTY_TUPLE)
    else out.text('(t')
    return false
  }
  const short = p.protocol >= 2 && items.length <= 3
  if (!short) out.byte(op.MARK)
  for (const item of items) p.save(item)
  const known = p.objects.get(memoKey)
  if (known !== undefined) {
    // The tuple contains itself: the stacked items are dropped and the finished tuple is fetched.
    if (!short && bin) out.byte(op.POP_MARK)
    else for (let i = short ? 1 : 0; i <= items.length; i++) out.byte(op.POP)
    p.get(known)
    return false
  }
  out.byte(short ? op.TUPLE1 + items.length - 1 : op.TUPLE)
  return true
}

/** One call for all values is faster than a read for each key. It returns fewer values only if a getter deletes a later key. */
function valuesOf(dict: Readonly<Record<string, unknown>>, keys: readonly string[]): readonly unknown[] {
  const values = Object.values(dict)
  return values.length === keys.length ? values : keys.map((key) => dict[key])
}

export function saveObjectDict(p: Pickler, dict: object): void {
  startDict(p, dict)
  const keys = Object.keys(dict)
  const values = valuesOf(dict as Readonly<Record<string, unknown>>, keys)
  if (!p.bin || keys.length === 1) {
    for (let i = 0; i < keys.length; i++) {
      p.save(keys[i])
      p.save(values[i])
      p.out.byte(op.SETITEM)
    }
    return
  }
  if (keys.length === 0) return
  // After a full batch CPython begins another one, even if no entry is left.
  for (let from = 0; from <= keys.length; from += BATCH) {
    p.out.byte(op.MARK)
    const end = Math.min(keys.length, from + BATCH)
    for (let i = from; i < end; i++) {
      p.saveKey(keys[i]!, i - from)
      p.save(values[i])
    }
    p.out.byte(op.SETITEMS)
  }
}

export function saveMap(p: Pickler, map: ReadonlyMap<unknown, unknown>): void {
  startDict(p, map)
  writeEntries(p, map, map.size)
}

/** Writes items in batches, as both of CPython's C picklers do. */
export function writeEntries(p: Pickler, entries: Iterable<readonly [unknown, unknown]>, size: number): void {
  const one = !p.bin || size === 1
  let count = 0
  for (const [key, value] of entries) {
    if (!one && count % BATCH === 0) p.out.byte(op.MARK)
    p.saveHashable(key)
    p.save(value)
    count++
    if (one) p.out.byte(op.SETITEM)
    else if (count % BATCH === 0 || count === size) p.out.byte(op.SETITEMS)
  }
  if (one || count === 0 || count % BATCH !== 0) return
  // After a full batch CPython begins another one, even if no entry is left.
  p.out.byte(op.MARK)
  p.out.byte(op.SETITEMS)
}

function startDict(p: Pickler, dict: object): void {
  if (p.bin) p.out.byte(op.EMPTY_DICT)
  else p.out.text('(d')
  p.memoize(dict)
}

export function saveSet(p: Pickler, set: ReadonlySet<unknown>): void {
  if (isStandIn(set)) return saveFrozenSet(p, set, set)
  const members = p.hashables(set)
  if (p.protocol < 4) return saveReduce(p, setType, [members], set)
  p.out.byte(op.EMPTY_SET)
  p.memoize(set)
  addItems(p, members)
}

/** @param memoKey the value that these members belong to */
export function saveFrozenSet(p: Pickler, set: ReadonlySet<unknown>, memoKey: object): void {
  const members = p.hashables(set)
  if (p.protocol < 4) return saveReduce(p, frozensetType, [members], memoKey)
  p.out.byte(op.MARK)
  for (const item of members) p.save(item)
  const known = p.objects.get(memoKey)
  if (known !== undefined) {
    p.out.byte(op.POP_MARK)
    return p.get(known)
  }
  p.out.byte(op.FROZENSET)
  p.memoize(memoKey)
}
