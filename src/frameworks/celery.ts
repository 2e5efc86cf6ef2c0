/**
 * Results of Celery's memcached backend (`cache+memcached://`), for both of its serializers.
 * Source: fixtures/vectors/framework-values.json (Celery 5.4 and 5.7, kombu 5.7).
 */
import { checkObject, checkText, named, shown } from '../ground/arguments.js'
import { ValueError } from '../python/errors.js'
import { ownOptions } from '../python/options.js'
import { decodeText } from '../python/text.js'
import {
  describe,
  PyDate,
  PyDateTime,
  PyDecimal,
  PyTime,
  PyTuple,
  PythonObject,
  PyUuid,
  pickle,
  type UnpickleOptions,
  unpickle,
} from '../values/index.js'
import { isoDate, isoDateTime, isoTime } from './iso-times.js'
import { readJson, writeJson } from './json.js'

/** The states of a task that Celery itself sets. */
export type CeleryState = 'PENDING' | 'STARTED' | 'RETRY' | 'FAILURE' | 'SUCCESS' | 'REVOKED' | (string & {})

/** The stored result of a task. */
export interface CeleryMeta {
  readonly status: CeleryState
  /** The result, or the exception of a failed task. */
  readonly result: unknown
  readonly traceback?: string | null
  readonly children?: unknown
  /** ISO 8601; null while the task is not done. */
  readonly date_done?: string | null
  readonly task_id?: string
  readonly parent_id?: string | null
  readonly group_id?: string | null
  /** With `result_extended`: name, args, kwargs, worker, retries, queue. */
  readonly [extended: string]: unknown
}

/** An exception that a task has raised. */
export interface CeleryError {
  readonly type: string
  readonly module: string | undefined
  /** The exception's arguments. */
  readonly args: readonly unknown[]
}

/** The options of `celeryMeta`. */
export interface CeleryOptions {
  /** `result_serializer`. Default `json`, as in Celery. */
  readonly serializer?: 'json' | 'pickle' | undefined
}

const PREFIXES = { task: 'celery-task-meta-', group: 'celery-taskset-meta-', chord: 'chord-unlock-' } as const

/**
 * The key of the result of a task, of a group, or of the counter of a chord.
 * @param globalKeyPrefix `result_backend_transport_options['global_keyprefix']`
 * @throws TypeError for unknown options and other types; ValueError for an empty id; RangeError for an unknown kind
 */
export function celeryKey(
  id: string,
  options: { readonly kind?: keyof typeof PREFIXES; readonly globalKeyPrefix?: string | undefined } = {},
): string {
  const { kind = 'task', globalKeyPrefix } = ownOptions(options, ['kind', 'globalKeyPrefix'])
  checkText('id', id)
  if (id === '') throw new ValueError('id must not be empty')
  if (globalKeyPrefix !== undefined) checkText('globalKeyPrefix', globalKeyPrefix)
  return `${globalKeyPrefix ? `${globalKeyPrefix}_` : ''}${named('kind', PREFIXES, kind)}${id}`
}

/**
 * Reads a stored result of either serializer: text is JSON with kombu's types, bytes are JSON or a pickle.
 * @param stored the result of the client's `get`
 * @returns undefined for a miss (undefined or null)
 * @throws ValueError for a value that is not a result; UnpicklingError, ValueDecodeError for a broken pickle
 */
export function readCeleryMeta(stored: unknown, options: UnpickleOptions = {}): CeleryMeta | undefined {
  if (stored === undefined || stored === null) return undefined
  const read = content(stored, options)
  const meta = (read instanceof Map ? Object.fromEntries(read) : read) as Partial<CeleryMeta> | null
  if (typeof meta !== 'object' || meta === null || typeof meta.status !== 'string')
    throw new ValueError(`the item is not a result of Celery: ${describe(meta)}`)
  return meta as CeleryMeta
}

function content(stored: unknown, options: UnpickleOptions): unknown {
  const { preserve } = options
  if (typeof stored === 'string') return readJson(stored, { preserve, convert: fromKombu })
  if (!(stored instanceof Uint8Array))
    throw new ValueError(`the item is ${shown(stored)}, where Celery stores text or bytes`)
  const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength)
  // Celery's pickles have protocol 2 or later. They begin with a byte that JSON cannot begin with.
  return bytes[0] === 0x80
    ? unpickle(bytes, options)
    : readJson(decodeText(bytes), { preserve, convert: fromKombu })
}

/**
 * Writes a result in Celery's form, for the client's `set`: text (JSON) or bytes (pickle).
 * @throws TypeError for unknown options; TypeError, ValueError, ValueEncodeError for a value that the serializer cannot write
 */
export function writeCeleryMeta(meta: CeleryMeta, options: CeleryOptions = {}): string | Uint8Array {
  const { serializer = 'json' } = ownOptions(options, ['serializer'])
  checkObject('meta', meta)
  checkText('meta.status', meta.status)
  // The fields are in Celery's order.
  const { status, result, traceback = null, children = null, date_done = null, ...others } = meta
  const whole = { status, result, traceback, children, date_done, ...others }
  return named('serializer', writers, serializer)(whole)
}

const writers = {
  json: (meta: unknown): string | Uint8Array => writeJson(meta, { convert: toKombu }),
  // The protocol that kombu uses.
  pickle: (meta: unknown): string | Uint8Array => pickle(meta, { protocol: 4 }),
}

/** The stand-in that Celery pickles for an exception that cannot be pickled: module, class and arguments. */
const WRAPPER = /^celery\.(utils\.serialization|exceptions)\.UnpickleableExceptionWrapper$/

function wrapped({ args: [module, type, args] }: PythonObject): CeleryError {
  return {
    type: String(type),
    module: typeof module === 'string' ? module : undefined,
    args: itemsOf(args) ?? [],
  }
}

/** The items of a list or tuple; undefined for other values. */
function itemsOf(value: unknown): readonly unknown[] | undefined {
  return value instanceof PyTuple ? value.items : Array.isArray(value) ? value : undefined
}

/** A task of a group, or a group in it. */
export interface CeleryGroup {
  readonly id: string
  /** The members of a group; undefined for a task, whose result is under `celeryKey(id)`. */
  readonly results: readonly CeleryGroup[] | undefined
}

/**
 * The tasks of a group that was saved by `GroupResult.save()`: the item under `celeryKey(id, { kind: 'group' })`.
 * @param stored the result of the client's `get`
 * @returns undefined for a miss (undefined or null)
 * @throws ValueError for a value that is not a group; as `readCeleryMeta`
 */
export function readCeleryGroup(stored: unknown, options: UnpickleOptions = {}): CeleryGroup | undefined {
  if (stored === undefined || stored === null) return undefined
  const read = content(stored, options)
  return groupOf(read instanceof Map ? read.get('result') : (read as { result?: unknown } | null)?.result)
}

/** Reads `((id, parent), results)`. A task has None in place of results. */
function groupOf(value: unknown): CeleryGroup {
  const [own, results] = itemsOf(value) ?? []
  const [id] = itemsOf(own) ?? []
  if (typeof id !== 'string') throw new ValueError(`the item is not a group of Celery: ${describe(value)}`)
  return { id, results: itemsOf(results)?.map(groupOf) }
}

/** The exception of a result with the status FAILURE or RETRY, from either serializer; undefined for other results. @throws TypeError if it is not an object */
export function celeryError(meta: CeleryMeta): CeleryError | undefined {
  checkObject('meta', meta)
  const { result } = meta
  if (result instanceof PythonObject) {
    if (WRAPPER.test(result.className)) return wrapped(result)
    const end = result.className.lastIndexOf('.')
    return {
      type: result.className.slice(end + 1),
      module: end < 0 ? undefined : result.className.slice(0, end),
      args: result.args,
    }
  }
  if (typeof result !== 'object' || result === null || !('exc_type' in result)) return undefined
  const { exc_type, exc_module, exc_message } = result as Record<string, unknown>
  return {
    type: String(exc_type),
    module: typeof exc_module === 'string' ? exc_module : undefined,
    args: Array.isArray(exc_message) ? exc_message : [exc_message],
  }
}

/** Reads kombu's types that JSON lacks. @throws ValueError for an unknown type */
function fromKombu(object: Record<string, unknown>): unknown {
  const { __type__: type, __value__: value } = object
  if (
    Object.keys(object).length !== 2 ||
    !Object.hasOwn(object, '__type__') ||
    !Object.hasOwn(object, '__value__')
  )
    return object
  const read = typeof type === 'string' && Object.hasOwn(readers, type) ? readers[type] : undefined
  if (!read) throw new ValueError(`Unsupported type ${shown(type)}`)
  return read(value)
}

const readers: Readonly<Record<string, (value: unknown) => unknown>> = {
  bytes: (value) => Buffer.from(String(value)),
  base64: (value) => Buffer.from(String(value), 'base64'),
  datetime: (value) => isoDateTime(String(value)),
  date: (value) => isoDate(String(value)),
  time: (value) => isoTime(String(value)),
  decimal: (value) => new PyDecimal(String(value)),
  uuid: (value) => new PyUuid(String((value as { hex?: unknown } | null)?.hex)),
}

function toKombu(value: object): unknown {
  const as = (type: string, written: unknown) => ({ __type__: type, __value__: written })
  if (value instanceof PyDateTime) return as('datetime', value.toString())
  if (value instanceof PyDate) return as('date', value.toString())
  if (value instanceof PyTime) return as('time', value.toString())
  if (value instanceof PyDecimal) return as('decimal', value.toString())
  if (value instanceof PyUuid) return as('uuid', { hex: value.toString().replaceAll('-', '') })
  if (!(value instanceof Uint8Array)) return undefined
  try {
    return as('bytes', decodeText(Buffer.from(value)))
  } catch {
    return as('base64', Buffer.from(value).toString('base64'))
  }
}
