/**
 * memshim/unstorage: a driver for unstorage (https://unstorage.unjs.io), which Nitro and Nuxt use. It passes unstorage's own tests of
 * drivers.
 */

import { type CacheClient, checkClient } from '../frameworks/client.js'
import { checkArray, checkText } from '../ground/arguments.js'
import { ListingError } from '../protocol/metadump.js'
import { ownOptions } from '../python/options.js'
import { listKeys } from './listing.js'
import { withObjects } from './objects.js'
import { timeOf } from './time.js'

export { ListingError }

/** Options of the driver. */
export interface UnstorageDriverOptions {
  /** The prefix of every key, followed by a colon: with `base: 'shop:1'` the keys are those of Django's cache with the `KEY_PREFIX` shop. Default none. */
  readonly base?: string | undefined
  /** Seconds until items expire, rounded up. Default: never. */
  readonly ttl?: number | undefined
}

/** Options of one call. */
interface CallOptions {
  /** Seconds until the item expires. */
  readonly ttl?: number | undefined
}

type DriverClient = CacheClient & { disconnectAll?(): void }

/**
 * A driver for `createStorage({ driver: unstorageDriver(client) })`. Objects, numbers and text are stored as such, so that Python reads and
 * writes them; `setItemRaw` accepts every value that the client accepts.
 * @throws TypeError for a client that lacks a method, and for unknown options and options of other types
 */
export function unstorageDriver(client: DriverClient, options: UnstorageDriverOptions = {}) {
  checkClient(client)
  const { base = '', ttl } = ownOptions(options, ['base', 'ttl'])
  checkText('base', base)
  timeOf(ttl)
  const root = base.replace(/:$/, '')
  const prefix = root === '' ? '' : `${root}:`
  const read = (stored: unknown) => (stored === undefined ? null : (withObjects(stored) as never))
  /** A key on the wire. @throws TypeError when it is not text */
  const named = (key: unknown): string => {
    checkText('key', key)
    return `${prefix}${key}`
  }
  const set = async (key: string, value: unknown, call?: CallOptions) => {
    const name = named(key)
    const time = timeOf(call?.ttl ?? ttl)
    const stored = await client.set(name, value, { time })
    if (!stored) throw new Error(`${name} could not be stored`)
  }
  const keys = async (of = '') => (await listKeys(client, named(of))).map((key) => key.slice(prefix.length))
  return {
    name: 'memshim',
    flags: { ttl: true },
    options,
    /** The client. */
    getInstance: () => client,
    async hasItem(key: string): Promise<boolean> {
      return client.has ? client.has(named(key)) : (await client.get(named(key))) != null
    },
    async getItem(key: string) {
      return read(await client.get(named(key)))
    },
    async getItems(items: { key: string }[]) {
      checkArray('items', items)
      const names = items.map((item) => named(item?.key))
      const found = await client.getMulti(names)
      return names.map((name, index) => ({ key: items[index]!.key, value: read(found.get(name)) }))
    },
    async getItemRaw(key: string): Promise<unknown> {
      return read(await client.get(named(key)))
    },
    async setItem(key: string, value: string, call?: CallOptions): Promise<void> {
      checkText('value', value)
      return set(key, meant(value), call)
    },
    setItemRaw: (key: string, value: unknown, call?: CallOptions): Promise<void> => set(key, value, call),
    async removeItem(key: string): Promise<void> {
      await client.delete(named(key))
    },
    /** @throws ListingError if the servers do not list their keys */
    getKeys: (of?: string): Promise<string[]> => keys(of),
    /** @throws ListingError if the servers do not list their keys */
    async clear(of?: string): Promise<void> {
      await Promise.all((await keys(of)).map((key) => client.delete(`${prefix}${key}`)))
    },
    dispose(): void {
      client.disconnectAll?.()
    },
  }
}

/**
 * The value that the caller gave to unstorage, which passes the value's JSON to the driver. Text that is not exactly the JSON of a value stays text: unstorage itself does not distinguish `5` from
 * `'5'`. Booleans stay text, since pylibmc's encoding has none.
 */
function meant(json: string): unknown {
  if (!/^(?:[{["\d-]|null$)/.test(json)) return json
  try {
    const value = JSON.parse(json)
    return JSON.stringify(value) === json ? value : json
  } catch {
    return json
  }
}
