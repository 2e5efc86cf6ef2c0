/** Keys of dicts and members of sets. Python accepts only immutable values there. */
import { PyByteArray, PyFrozenSet, PyTuple } from '../../classes/built-ins.js'
import { PyCounter, PyDefaultDict, PyDeque, PyOrderedDict } from '../../classes/collections.js'
import { isStandIn } from '../../classes/stand-ins.js'
import { ValueEncodeError } from '../../errors.js'

/** The converted form of each Array and Set among the keys, so that one reference is converted once. */
export type Hashables = Map<object, object>

/**
 * Converts a key to a form that Python accepts. Reading turns a tuple into an Array and a frozenset into a Set by default. Among keys, Arrays and
 * Sets can only have been tuples and frozensets, since lists and sets cannot be keys.
 * @throws ValueEncodeError for a dict, bytearray, deque or an Array that holds itself, which Python refuses as unhashable, and for a key
 *   that is nested deeper than 1000
 */
export function hashable(key: unknown, known: Hashables, depth = 0): unknown {
  return typeof key === 'object' && key !== null ? hashableObject(key, known, depth) : key
}

/** The depth at which CPython's pickler gives up. */
const MAX_DEPTH = 1000

/** Marks an Array whose items are being converted. */
const unfinished = {}

function hashableObject(key: object, known: Hashables, depth: number): object {
  if (depth > MAX_DEPTH) throw new ValueEncodeError(`a key is nested deeper than ${MAX_DEPTH}`)
  const done = known.get(key)
  if (done === unfinished) throw unhashable('a list that holds itself')
  if (done !== undefined) return done
  if (Array.isArray(key)) return tupleOf(key, key, known, depth)
  if (key instanceof PyTuple) return tupleOf(key, key.items, known, depth)
  if (key instanceof Set) {
    if (isStandIn(key)) return key
    const set = new PyFrozenSet(key)
    known.set(key, set)
    return set
  }
  if (key instanceof Uint8Array && isStandIn(key)) throw unhashable('a bytearray')
  const refused = names.find(([type]) => key instanceof type)
  if (refused) throw unhashable(refused[1])
  const prototype = Object.getPrototypeOf(key)
  if (prototype === Object.prototype || prototype === null) throw unhashable('a dict')
  return key
}

/** Returns the given tuple if none of its items changes. */
function tupleOf(key: object, items: readonly unknown[], known: Hashables, depth: number): object {
  known.set(key, unfinished)
  const turned = items.map((item) => hashable(item, known, depth + 1))
  const same =
    (key instanceof PyTuple || isStandIn(key)) && turned.every((item, index) => Object.is(item, items[index]))
  const tuple = same ? key : new PyTuple(turned)
  known.set(key, tuple)
  return tuple
}

const names = [
  [PyByteArray, 'a bytearray'],
  [PyDeque, 'a deque'],
  [PyDefaultDict, 'a defaultdict'],
  [PyOrderedDict, 'an OrderedDict'],
  [PyCounter, 'a Counter'],
  [Map, 'a dict'],
] as const

function unhashable(what: string): ValueEncodeError {
  return new ValueEncodeError(
    `${what} is a key of a dict or a member of a set, and Python takes none there: it is unhashable`,
    'builtins.TypeError',
  )
}
