/** memshim/values: flags, zlib and pickle, so that Python and Node.js read each other's items. */
export { describe } from './describe.js'
export {
  type EncodingOptions,
  jsonSerializer,
  type ValueCompressor,
  type ValueSerializer,
} from './encoding-options.js'
export { type DecodeReason, UnpicklingError, ValueDecodeError, ValueEncodeError } from './errors.js'
export type { PickleConverter } from './pickle/converters.js'
export { disassemble, disassembly, type Operation } from './pickle/disassemble.js'
export { plainValue } from './pickle/plain.js'
export { type UnpickleOptions, unpickle } from './pickle/reader.js'
export { type PickleOptions, pickle } from './pickle/writer.js'
export { type PylibmcEncodingOptions, pylibmcEncoding } from './pylibmc.js'
export { type PymemcacheEncodingOptions, pymemcacheEncoding } from './pymemcache.js'
export { PyCounter, PyDefaultDict, PyDeque, PyOrderedDict } from './python-collections.js'
export { PyDate, PyDateTime, PyTime, PyTimeDelta, PyTimeZone } from './python-dates.js'
export {
  type PythonMemcachedDialect,
  type PythonMemcachedEncodingOptions,
  pythonMemcachedDialects,
  pythonMemcachedEncoding,
} from './python-memcached.js'
export { PyDecimal, PyFraction, PyRange, PySlice, PyUuid } from './python-numbers.js'
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
  PyView,
} from './python-values.js'
export { rawEncoding } from './raw.js'
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
export { compress, decompress } from './zlib.js'
