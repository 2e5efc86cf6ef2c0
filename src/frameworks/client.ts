/** What the classes of this room need of a client: strict, compat and their like have it. */
import { MAX_RELATIVE_TIME } from '../ground/limits.js'

/** A memcached client. */
export interface CacheClient {
  /** undefined or null on a miss. */
  get(key: string): Promise<unknown>
  getMulti(keys: string[]): Promise<ReadonlyMap<string, unknown>>
  /** @param options `time` in seconds */
  set(key: string, value: unknown, options: { readonly time: number }): Promise<unknown>
  add(key: string, value: unknown, options: { readonly time: number }): Promise<unknown>
  /** Keys that were not stored. */
  setMulti(
    entries: ReadonlyMap<string, unknown>,
    options: { readonly time: number },
  ): Promise<Iterable<string>>
  delete(key: string): Promise<unknown>
  deleteMulti(keys: string[]): Promise<unknown>
  touch(key: string, time: number): Promise<unknown>
  incr(key: string, delta: number): Promise<unknown>
  decr(key: string, delta: number): Promise<unknown>
  /** python-memcached's way to learn whether a deleted key was there, which Django uses. */
  deletetouch?(expected: readonly string[], command: 'delete', key: string): Promise<unknown>
  /** Whether a value is there, also a stored None. A client without this method has null for a miss, too. */
  has?(key: string): Promise<boolean>
}

/** @returns whether the key was there, which python-memcached's own delete does not tell @throws as the client's `delete` */
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

/** @throws TypeError naming the method that is missing */
export function checkClient(client: unknown): asserts client is CacheClient {
  const missing = METHODS.find(
    (name) => typeof (client as Record<string, unknown> | null | undefined)?.[name] !== 'function',
  )
  if (missing !== undefined)
    throw new TypeError(`client has no method ${missing}: it must be a client of memshim`)
}

/**
 * Expires at once, for every server, protocol and client: a date long past. Negative times do not serve, since pylibmc's
 * documentation takes them for zero.
 */
const EXPIRED = MAX_RELATIVE_TIME + 1

/** The time to send for one that a framework has made: negative ones expire at once. */
export const sentTime = (time: number): number => (time < 0 ? EXPIRED : time)
