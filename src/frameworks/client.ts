/** The methods that the classes of this folder call on a client. The clients of strict, compat and pymemcache have them. */
import { MAX_RELATIVE_TIME } from '../ground/limits.js'

/** A memcached client. */
export interface CacheClient {
  /** undefined or null on a miss. */
  get(key: string): Promise<unknown>
  getMulti(keys: string[]): Promise<ReadonlyMap<string, unknown>>
  /** @param options `time` in seconds */
  set(key: string, value: unknown, options: { readonly time: number }): Promise<unknown>
  add(key: string, value: unknown, options: { readonly time: number }): Promise<unknown>
  /** @returns the keys that were not stored */
  setMulti(
    entries: ReadonlyMap<string, unknown>,
    options: { readonly time: number },
  ): Promise<Iterable<string>>
  delete(key: string): Promise<unknown>
  deleteMulti(keys: string[]): Promise<unknown>
  touch(key: string, time: number): Promise<unknown>
  incr(key: string, delta: number): Promise<unknown>
  decr(key: string, delta: number): Promise<unknown>
  /** python-memcached's option by which `delete` reports whether the key was there; Django uses it. */
  deletetouch?(expected: readonly string[], command: 'delete', key: string): Promise<unknown>
  /** Whether a value is there; a stored None counts. A client without this method returns null for a stored None and for a miss. */
  has?(key: string): Promise<boolean>
}

/** @returns whether the key was there, which python-memcached's own `delete` does not report @throws as the client's `delete` */
export async function deleteKey(client: CacheClient, key: string): Promise<boolean> {
  return Boolean(
    await (client.deletetouch ? client.deletetouch(['DELETED'], 'delete', key) : client.delete(key)),
  )
}

const METHODS = [
  'get',
  'getMulti',
  'set',
  'add',
  'setMulti',
  'delete',
  'deleteMulti',
  'touch',
  'incr',
  'decr',
]

/** @throws TypeError that names the missing method */
export function checkClient(client: unknown): asserts client is CacheClient {
  const missing = METHODS.find(
    (name) => typeof (client as Record<string, unknown> | null | undefined)?.[name] !== 'function',
  )
  if (missing !== undefined)
    throw new TypeError(`client has no method ${missing}: it must be a client of memshim`)
}

/**
 * A time in the distant past: the item expires at once on every server, with every protocol and client. Negative times are not used,
 * because pylibmc's documentation treats them as zero.
 */
const EXPIRED = MAX_RELATIVE_TIME + 1

/** The time to send for a framework's time: a negative one expires at once. */
export const sentTime = (time: number): number => (time < 0 ? EXPIRED : time)
