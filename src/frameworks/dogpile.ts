/** Keys and envelopes of dogpile.cache. Source: fixtures/vectors/frameworks.json and framework-values.json (dogpile.cache 1.3 and 1.5). */
import { createHash } from 'node:crypto'
import {
  checkArray,
  checkBytes,
  checkFunction,
  checkNumber,
  checkObject,
  checkText,
} from '../ground/arguments.js'
import { ownOptions } from '../python/options.js'
import {
  PyFloat,
  PyGlobal,
  PyTuple,
  PythonObject,
  plainValue,
  type UnpickleOptions,
} from '../values/index.js'
import { readJson, writeJson } from './json.js'

/**
 * The key that `cache_on_arguments` makes for a call: `module:function|argument argument`, with a namespace
 * `module:function|namespace|…`.
 * @param args as Python's str() shows them
 * @throws TypeError for other types
 */
export function dogpileKey(
  called: { readonly module: string; readonly name: string; readonly namespace?: string | undefined },
  args: readonly string[],
): string {
  checkObject('called', called)
  const { module, name, namespace } = called
  checkText('module', module)
  checkText('name', name)
  if (namespace !== undefined) checkText('namespace', namespace)
  checkArray('args', args)
  for (const [index, arg] of args.entries()) checkText(`args[${index}]`, arg)
  const own = `${module}:${name}${namespace === undefined ? '' : `|${namespace}`}`
  return `${own}|${args.join(' ')}`
}

/** `sha1_mangle_key`: the usual key_mangler of memcached regions, since the keys above contain blanks. */
export function dogpileSha1(key: string): string {
  checkText('key', key)
  return createHash('sha1').update(key).digest('hex')
}

/** `length_conditional_mangler(length, sha1_mangle_key)`: the key, or its SHA-1 from `length` characters on. */
export function dogpileShortened(key: string, length: number): string {
  checkText('key', key)
  checkNumber('length', length)
  return [...key].length >= length ? dogpileSha1(key) : key
}

/** An envelope with its value: `dogpile.cache.api.CachedValue`. */
export interface DogpileValue<T = unknown> {
  readonly payload: T
  /** The Unix time of creation in seconds. A region decides by its own expiration time whether the value is stale. */
  readonly created: number
}

const CACHED_VALUE = 'dogpile.cache.api.CachedValue'
/** The version of the envelope. dogpile treats an envelope of another version as a miss. */
const VERSION = 2
/** The separator of metadata and payload in an envelope of bytes. */
const BAR = 0x7c

/** The options of reading an envelope. */
export interface ReadDogpileOptions extends Pick<UnpickleOptions, 'preserve'> {
  /** The counterpart of the region's `deserializer`. Default: the region has none. */
  readonly deserialize?: ((payload: Buffer) => unknown) | undefined
}

/**
 * The envelope in a stored value; undefined for other values, which dogpile treats as a miss.
 * @param options `preserve` keeps types that plain JavaScript lacks. Default false.
 * @throws TypeError for unknown options and options of other types; ValueError for metadata that is not JSON; the errors of `deserialize`
 */
export function readDogpile<T = unknown>(
  stored: unknown,
  options: ReadDogpileOptions = {},
): DogpileValue<T> | undefined {
  const { preserve = false, deserialize } = ownOptions(options, ['preserve', 'deserialize'])
  if (deserialize !== undefined) {
    checkFunction('deserialize', deserialize)
    return stored instanceof Uint8Array || typeof stored === 'string'
      ? readBytes<T>(Buffer.from(stored as Uint8Array), deserialize)
      : undefined
  }
  if (!(stored instanceof PythonObject) || stored.className !== CACHED_VALUE) return undefined
  // In protocols 0 and 1 the tuple is the base value of the object; in later protocols its fields are the arguments.
  const fields = stored.how === 'base' ? stored.args[0] : stored.args
  const [payload, metadata] = fields instanceof PyTuple ? fields.items : Array.isArray(fields) ? fields : []
  if (!(metadata instanceof Map) || Number(metadata.get('v')) !== VERSION) return undefined
  return { payload: (preserve ? payload : plainValue(payload)) as T, created: Number(metadata.get('ct')) }
}

function readBytes<T>(
  stored: Buffer,
  deserialize: (payload: Buffer) => unknown,
): DogpileValue<T> | undefined {
  const end = stored.indexOf(BAR)
  if (end < 0) return undefined
  const metadata = readJson(stored.toString('latin1', 0, end)) as { ct?: unknown; v?: unknown } | null
  if (metadata?.v !== VERSION) return undefined
  return { payload: deserialize(stored.subarray(end + 1)) as T, created: Number(metadata.ct) }
}

/**
 * Writes a value in the envelope that dogpile.cache reads.
 * @param created Unix time in seconds; default now
 * @throws TypeError when it is not a number
 */
export function writeDogpile(payload: unknown, created: number = Date.now() / 1000): PythonObject {
  checkNumber('created', created)
  return new PythonObject(
    new PyGlobal('dogpile.cache.api', 'CachedValue'),
    [payload, metadataOf(created)],
    'new',
  )
}

/**
 * Writes a value in the envelope of a region that was made with `serializer`: bytes.
 * @param serialize the counterpart of the region's `serializer`
 * @param created Unix time in seconds; default now
 * @throws TypeError for other types, and if `serialize` does not return bytes; the errors of `serialize`
 */
export function writeDogpileBytes<T>(
  payload: T,
  serialize: (payload: T) => Uint8Array,
  created: number = Date.now() / 1000,
): Buffer {
  checkFunction('serialize', serialize)
  checkNumber('created', created)
  const bytes = serialize(payload)
  checkBytes('the result of serialize', bytes)
  return Buffer.concat([Buffer.from(`${writeJson(metadataOf(created))}|`), bytes])
}

const metadataOf = (created: number): Map<string, unknown> =>
  new Map<string, unknown>([
    ['ct', new PyFloat(created)],
    ['v', VERSION],
  ])
