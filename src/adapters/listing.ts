/**
 * The keys that servers hold, for clearing one prefix and for listing: memcached's `lru_crawler metadump`, which memcached has from 1.4.31 on.
 * Source: memcached's protocol text (https://github.com/memcached/memcached/blob/master/doc/protocol.txt), and the real servers in the tests.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CacheClient } from '../frameworks/client.js'
import { parseServers, type ServerSpecInput } from '../strict/server-spec.js'
import { addressName, type ServerAddress } from '../transport/address.js'

/** Keys cannot be listed: the server does not know the command, has it switched off, or does not answer. */
export class ListingError extends Error {
  override readonly name = 'ListingError'
  constructor(
    /** `host:port`, or the path of a socket. */
    readonly server: string,
    why: string,
  ) {
    super(`${server} does not list its keys: ${why}`)
  }
}

/** Milliseconds without a line from a server. */
const SILENCE = 10_000
/** The server lists for one connection at a time. */
const BUSY_ATTEMPTS = 50
const BUSY_PAUSE = 100

/** What a client says of its servers: strict by `addresses`, compat by `servers`. */
interface Listed {
  readonly addresses?: readonly ServerSpecInput[]
  readonly servers?: readonly { readonly name: string }[]
}

/**
 * The keys that begin with a prefix, on all servers of a client. Connections are plain: no TLS, no password.
 * @throws TypeError for a client that does not tell its servers; ListingError
 */
export async function listKeys(client: CacheClient, prefix: string): Promise<string[]> {
  const found = await Promise.all(addressesOf(client).map((address) => keysOf(address, prefix)))
  return [...new Set(found.flat())]
}

function addressesOf(client: CacheClient): ServerAddress[] {
  const { addresses, servers } = client as Listed
  const specs = addresses ?? servers?.map(({ name }) => name)
  if (specs === undefined)
    throw new TypeError('the client does not tell its servers, so their keys cannot be listed')
  return parseServers(specs).map(({ address }) => address)
}

async function keysOf(address: ServerAddress, prefix: string): Promise<string[]> {
  for (let attempt = 0; attempt < BUSY_ATTEMPTS; attempt++) {
    const keys = await dump(address, prefix)
    if (keys !== 'busy') return keys
    await sleep(BUSY_PAUSE)
  }
  throw new ListingError(addressName(address), 'it is busy listing for others')
}

async function dump(address: ServerAddress, prefix: string): Promise<string[] | 'busy'> {
  const name = addressName(address)
  const socket = connect(
    address.transport === 'unix' ? { path: address.path } : { host: address.host, port: address.port },
  )
  let failure: Error | undefined
  socket.on('error', (error) => {
    failure = error
  })
  socket.setTimeout(SILENCE, () =>
    socket.destroy(new Error(`it has been silent for ${SILENCE / 1000} seconds`)),
  )
  socket.write('lru_crawler metadump all\r\n')
  const keys: string[] = []
  const now = Date.now() / 1000
  try {
    for await (const line of createInterface({ input: socket })) {
      if (line === 'END') return keys
      if (line.startsWith('BUSY')) return 'busy'
      const [, encoded, expires] = /^key=(\S+) exp=(-?\d+)/.exec(line) ?? []
      if (encoded === undefined) throw new ListingError(name, `it answers ${line.slice(0, 80)}`)
      const key = decoded(encoded)
      const expired = Number(expires) > 0 && Number(expires) <= now
      if (key?.startsWith(prefix) && !expired) keys.push(key)
    }
  } catch (error) {
    if (error instanceof ListingError) throw error
    failure ??= error as Error
  } finally {
    socket.destroy()
  }
  throw new ListingError(name, failure?.message ?? 'it closed the connection')
}

/** undefined for a key that is not UTF-8, which no caller of this can have stored. */
function decoded(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}
