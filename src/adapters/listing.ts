/**
 * Lists the keys that servers store, to clear one prefix and to iterate. It uses `lru_crawler metadump`, which memcached has from 1.4.31 on.
 * Source: memcached's protocol text (https://github.com/memcached/memcached/blob/master/doc/protocol.txt), and the real servers in the tests.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { CacheClient } from '../frameworks/client.js'
import { type ListedItem, ListingError, MetadumpReader } from '../protocol/metadump.js'
import { parseServers, type ServerSpecInput } from '../strict/server-spec.js'
import { addressName, type ServerAddress } from '../transport/address.js'
import { TransportError } from '../transport/errors.js'
import { LineConnection } from '../transport/line-connection.js'

/** The longest time without a byte from a server, in milliseconds. */
const SILENCE = 10_000
/** The longest time for one listing, in milliseconds. */
const LONGEST_LISTING = 5 * 60_000
/** The most keys of one prefix on one server: they take about 500 MB of memory. */
const MOST_KEYS = 5_000_000
/** The server's answer while it lists for another connection. */
const BUSY_ATTEMPTS = 50
const BUSY_PAUSE = 100
/**
 * memcached omits items from a listing while it moves them to the front of its queue, up to a second after they were read.
 * While a server lists fewer items than it counts, the listing is repeated after each of these pauses. Milliseconds.
 */
const AGAIN_AFTER = [100, 300, 800]

/** The servers of a client: `addresses` of strict, `servers` of compat. */
interface Listed {
  readonly addresses?: readonly ServerSpecInput[]
  readonly servers?: readonly { readonly name: string }[]
}

/**
 * The keys that begin with a prefix, on all servers of a client. Connections are plain: no TLS, no password.
 * @throws TypeError for a client that does not list its servers; ListingError for a server that refuses, is silent for 10 seconds, takes more
 *   than five minutes, or lists more than five million keys of the prefix
 */
export async function listKeys(client: CacheClient, prefix: string): Promise<string[]> {
  const found = await Promise.all(addressesOf(client).map((address) => keysOf(address, prefix)))
  return [...new Set(found.flatMap((keys) => [...keys]))]
}

function addressesOf(client: CacheClient): ServerAddress[] {
  const { addresses, servers } = client as Listed
  const specs = addresses ?? servers?.map(({ name }) => name)
  if (specs === undefined)
    throw new TypeError('the client does not list its servers, so their keys cannot be listed')
  return parseServers(specs).map(({ address }) => address)
}

async function keysOf(address: ServerAddress, prefix: string): Promise<Iterable<string>> {
  const keys = new Set<string>()
  for (let attempt = 0; ; attempt++) {
    const listing = await listingOf(address, prefix)
    for (const key of listing.keys) keys.add(key)
    if (listing.isComplete || attempt >= AGAIN_AFTER.length) return keys
    await sleep(AGAIN_AFTER[attempt])
  }
}

interface Listing {
  readonly keys: readonly string[]
  /** The server listed as many items as it counts. */
  readonly isComplete: boolean
}

async function listingOf(address: ServerAddress, prefix: string): Promise<Listing> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await dump(address, prefix)
    } catch (error) {
      if (error instanceof TransportError) throw new ListingError(addressName(address), error.message)
      if (!(error instanceof ListingError && error.busy) || attempt >= BUSY_ATTEMPTS) throw error
      await sleep(BUSY_PAUSE)
    }
  }
}

/** @throws ListingError, TransportError */
async function dump(address: ServerAddress, prefix: string): Promise<Listing> {
  const name = addressName(address)
  const keys: string[] = []
  const now = Date.now() / 1000
  let listed = 0
  const list = ({ key, expires }: ListedItem) => {
    listed++
    const text = decoded(key)
    if (!text?.startsWith(prefix) || (expires !== undefined && expires <= now)) return
    if (keys.push(text) > MOST_KEYS)
      throw new ListingError(name, `lists more than ${MOST_KEYS} keys that begin with the prefix`)
  }
  const reader = new MetadumpReader(name, list, true)
  const connection = await LineConnection.open(address, { timeout: SILENCE })
  const ends = performance.now() + LONGEST_LISTING
  try {
    connection.send('lru_crawler metadump all\r\n')
    while (!reader.ended) {
      reader.push(await connection.chunk())
      if (performance.now() > ends)
        throw new ListingError(name, `has not listed its keys within ${LONGEST_LISTING / 60_000} minutes`)
    }
    return { keys, isComplete: listed >= (await itemsOn(connection)) }
  } finally {
    connection.close()
  }
}

/** How many items the server counts; 0 when it does not say. */
async function itemsOn(connection: LineConnection): Promise<number> {
  connection.send('stats\r\n')
  for (;;) {
    const [word, name, value] = (await connection.line()).split(' ')
    if (word !== 'STAT') return 0
    if (name === 'curr_items') return Number(value)
  }
}

/** undefined for a key that is not UTF-8. The callers of this function cannot have stored such a key. */
function decoded(key: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(key, 'latin1'))
  } catch {
    return undefined
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
