/** memshim/values: flags, zlib and pickle, so that Python and Node.js read each other's items. */

export {
  PyByteArray,
  PyComplex,
  PyFloat,
  PyFrozenSet,
  PyGlobal,
  PyIterator,
  PyPersistent,
  PyTuple,
  PythonObject,
  PyUnpicklable,
  PyView,
} from './classes/built-ins.js'
export { PyCounter, PyDefaultDict, PyDeque, PyOrderedDict } from './classes/collections.js'
export { PyDate, PyDateTime, PyTime, PyTimeDelta, PyTimeZone } from './classes/dates.js'
export { PyDecimal, PyFraction, PyRange, PySlice, PyUuid } from './classes/numbers.js'
export { describe } from './describe.js'
export type { PickleHooks, PythonMemcachedDialect } from './encodings/dialect.js'
export {
  type EncodingOptions,
  jsonSerializer,
  type ValueCompressor,
  type ValueSerializer,
} from './encodings/options.js'
export { type PylibmcEncodingOptions, pylibmcEncoding } from './encodings/pylibmc.js'
export { type PymemcacheEncodingOptions, pymemcacheEncoding } from './encodings/pymemcache.js'
export {
  type PythonMemcachedEncodingOptions,
  pythonMemcachedDialects,
  pythonMemcachedEncoding,
} from './encodings/python-memcached.js'
export { rawEncoding } from './encodings/raw.js'
export { compress, decompress } from './encodings/zlib.js'
export { type DecodeReason, UnpicklingError, ValueDecodeError, ValueEncodeError } from './errors.js'
export type { PickleConverter } from './pickle/converters.js'
export { disassemble, disassembly, type PickleOperation } from './pickle/disassemble.js'
export { plainValue } from './pickle/read/plain.js'
export { type UnpickleOptions, unpickle } from './pickle/read/reader.js'
export { type PickleOptions, pickle } from './pickle/write/writer.js'
export { fromTypedJson, type TypedJson, toTypedJson } from './typed-json.js'
export {
  type CompressionRequest,
  type EncodedValue,
  FLAG_INTEGER,
  FLAG_LONG,
  FLAG_PICKLE,
  FLAG_TEXT,
  FLAG_ZLIB,
  type Payload,
  type ValueEncoding,
} from './types.js'
