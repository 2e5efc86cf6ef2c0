/**
 * memshim/unstorage: a driver of unstorage (https://unstorage.unjs.io), and so of Nitro and Nuxt. Its behaviour is that of unstorage's own tests of
 * drivers.
 */

import { type CacheClient, checkClient } from '../frameworks/client.js'
import { checkObject, checkText } from '../ground/arguments.js'
import { ListingError, listKeys } from './listing.js'
import { withObjects } from './objects.js'
import { timeOf } from './time.js'

export { ListingError }

/** Options of the driver. */
export interface UnstorageDriverOptions {
  /** Before every key, with a colon: `base: 'shop:1'` has the keys of Django's cache with the `KEY_PREFIX` shop. Default none. */
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
 * writes them; `setItemRaw` takes every value that the client takes.
 * @throws TypeError for a client that lacks a method, and for options of other types
 */
export function unstorageDriver(client: DriverClient, options: UnstorageDriverOptions = {}) {
  checkClient(client)
  checkObject('options', options)
  const { base = '', ttl } = options
  checkText('base', base)
  timeOf(ttl)
  const root = base.replace(/:$/, '')
  const prefix = root === '' ? '' : `${root}:`
  const read = (stored: unknown) => (stored === undefined ? null : (withObjects(stored) as never))
  const set = async (key: string, value: unknown, call?: CallOptions) => {
    const time = timeOf(call?.ttl ?? ttl)
    const stored = await client.set(`${prefix}${key}`, value, { time })
    if (!stored) throw new Error(`${prefix}${key} could not be stored`)
  }
  const keys = async (of = '') =>
    (await listKeys(client, `${prefix}${of}`)).map((key) => key.slice(prefix.length))
  return {
    name: 'memshim',
    flags: { ttl: true },
    options,
    /** The client. */
    getInstance: () => client,
    async hasItem(key: string): Promise<boolean> {
      return client.has ? client.has(`${prefix}${key}`) : (await client.get(`${prefix}${key}`)) != null
    },
    async getItem(key: string) {
      return read(await client.get(`${prefix}${key}`))
    },
    async getItems(items: { key: string }[]) {
      const found = await client.getMulti(items.map(({ key }) => `${prefix}${key}`))
      return items.map(({ key }) => ({ key, value: read(found.get(`${prefix}${key}`)) }))
    },
    async getItemRaw(key: string): Promise<unknown> {
      return read(await client.get(`${prefix}${key}`))
    },
    setItem: (key: string, value: string, call?: CallOptions): Promise<void> => set(key, meant(value), call),
    setItemRaw: (key: string, value: unknown, call?: CallOptions): Promise<void> => set(key, value, call),
    async removeItem(key: string): Promise<void> {
      await client.delete(`${prefix}${key}`)
    },
    /** @throws ListingError where the servers do not list their keys */
    getKeys: (of?: string): Promise<string[]> => keys(of),
    /** @throws ListingError where the servers do not list their keys */
    async clear(of?: string): Promise<void> {
      await Promise.all((await keys(of)).map((key) => client.delete(`${prefix}${key}`)))
    },
    dispose(): void {
      client.disconnectAll?.()
    },
  }
}

/**
 * What was given to unstorage, which hands its JSON over. Text that is not exactly a value's JSON stays text: unstorage itself does not tell `5` from
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
