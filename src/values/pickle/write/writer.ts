/**
 * The pickle writer for protocols 0–5. Memo numbers, batches and frames are those of CPython's C pickler.
 *
 * One difference is unavoidable: in Python, equal texts share a memo entry only if they are one object. JavaScript's texts have no
 * identity, so that equal texts always share a memo entry here. In Python, dict keys and literals usually do too.
 */
import { ValueError } from '../../../python/errors.js'
import { checkOptionNames } from '../../../python/options.js'
import {
  PyByteArray,
  PyFloat,
  PyFrozenSet,
  PyGlobal,
  PyPersistent,
  PyTuple,
  PythonObject,
} from '../../classes/built-ins.js'
import { HIGHEST_PROTOCOL } from '../opcodes.js'
import { FreshText } from '../reduction.js'
import { reductions } from '../reductions.js'
import {
  saveByteArray,
  saveBytes,
  saveFrozenSet,
  saveList,
  saveMap,
  saveObjectDict,
  saveSet,
  saveTuple,
} from './containers.js'
import { saveGlobal, saveObject } from './objects.js'
import { type PickleOptions, Pickler, type Save } from './pickler.js'

export type { PickleOptions } from './pickler.js'

/** The writers of objects by prototype. Instances of subclasses are written like their base. */
export const writers: ReadonlyMap<object, Save> = new Map<object, Save>([
  [Array.prototype, saveList],
  [Map.prototype, saveMap],
  [Set.prototype, saveSet],
  [Uint8Array.prototype, saveBytes],
  [PyTuple.prototype, (p, tuple: PyTuple) => saveTuple(p, tuple.items, tuple)],
  [PyFrozenSet.prototype, (p, set: PyFrozenSet) => saveFrozenSet(p, set.items, set)],
  [PyByteArray.prototype, (p, value: PyByteArray) => saveByteArray(p, value.bytes, value)],
  [PyFloat.prototype, (p, value: PyFloat) => p.saveFloat(value.value)],
  [FreshText.prototype, (p, value: FreshText) => p.saveFreshText(value.text)],
  [PyGlobal.prototype, saveGlobal],
  [PythonObject.prototype, saveObject],
  [PyPersistent.prototype, (p, value: PyPersistent) => p.savePersistent(value.id)],
  ...reductions.flatMap(({ module, name, type, reduce }): [object, Save][] => {
    if (!type || !reduce) return []
    const global = new PyGlobal(module, name)
    return [
      [
        type.prototype,
        (p, value: object) => saveObject(p, reduce(value as never, global, p.protocol), value),
      ],
    ]
  }),
])

/** @throws ValueEncodeError for values without a Python counterpart; ValueError for an unsupported protocol; TypeError for options that are not an object and for unknown options */
export function pickle(value: unknown, options: PickleOptions = {}): Buffer {
  checkOptionNames(options, ['protocol', 'persistentId', 'converters', 'maxDepth'])
  return written(value, options)
}

/** As `pickle`, but without a check of the options' names. */
export function written(value: unknown, options: PickleOptions): Buffer {
  const given = options.protocol ?? HIGHEST_PROTOCOL
  if (!Number.isInteger(given) || given > HIGHEST_PROTOCOL)
    throw new ValueError(`pickle protocol must be <= ${HIGHEST_PROTOCOL}`)
  return new Pickler(given < 0 ? HIGHEST_PROTOCOL : given, options, writers, saveObjectDict).dump(value)
}
