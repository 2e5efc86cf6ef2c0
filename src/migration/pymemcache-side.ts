/** A client with pymemcache's placement and values, and pylibmc's outcomes. Source: docs/reference/placement.md#3, docs/reference/pymemcache.md#5, #11.1. */
import { checkIterable, shown } from '../ground/arguments.js'
import type { Bytes } from '../ground/bytes.js'
import { rendezvous } from '../hashing/index.js'
import { HealthSelection } from '../pipeline/health-selection.js'
import { pipelineOf } from '../pipeline/pipeline.js'
import { parseServer, type ServerInput } from '../pymemcache/options.js'
import { pythonText } from '../pymemcache/serde.js'
import { ownOptions } from '../python/options.js'
import { bytesRepr } from '../python/repr.js'
import { isAscii } from '../python/text.js'
import { Client, type ClientOptions } from '../strict/index.js'
import { addressName } from '../transport/address.js'
import {
  type PymemcacheEncodingOptions,
  pymemcacheEncoding,
  ValueEncodeError,
  type ValueEncoding,
} from '../values/index.js'

/** The options of the Python clients that decide their items and placement. */
export interface PymemcacheSideOptions
  extends Pick<ClientOptions, 'timeout' | 'tls' | 'preserve' | 'now' | 'connect'>,
    Pick<PymemcacheEncodingOptions, 'pickleProtocol' | 'minCompressLen'> {
  /** `pickle_serde` (default), `compressed_serde`, which also reads values that the other libraries compressed, or none: bytes. */
  readonly serde?: 'pickle' | 'compressed' | 'none' | undefined
  /** Prefix of every key, which is not hashed, as in pymemcache. Default none. */
  readonly keyPrefix?: string | undefined
  /** Addresses for this process of servers with other names in the Python services: `{ 'cache-1:11211': '127.0.0.1:21211' }`. */
  readonly addresses?: Readonly<Record<string, string>> | undefined
}

const optionNames = Object.keys({
  timeout: true,
  tls: true,
  preserve: true,
  now: true,
  connect: true,
  pickleProtocol: true,
  minCompressLen: true,
  serde: true,
  keyPrefix: true,
  addresses: true,
} satisfies Record<keyof PymemcacheSideOptions, true>)

/**
 * A client that finds the items of pymemcache's HashClient, and writes items that it finds. Keys are text: HashClient puts bytes elsewhere.
 * @param servers as the Python services name them, because the names decide the placement
 * @throws ValueError for an invalid server; TypeError and RangeError for options
 */
export function pymemcacheSide(servers: Iterable<ServerInput>, settings: PymemcacheSideOptions = {}): Client {
  checkIterable('servers', servers)
  const options = ownOptions(settings, optionNames)
  const { serde = 'pickle', keyPrefix = '', addresses, pickleProtocol, minCompressLen, ...rest } = options
  if (!['pickle', 'compressed', 'none'].includes(serde))
    throw new RangeError(`serde ${shown(serde)} is not one of pickle, compressed, none`)
  const specs = [...servers].map((server) => parseServer(server, addresses))
  const names = specs.map(({ name }) => name)
  const client = new Client(
    specs.map(({ address }) => addressName(address)),
    {
      ...rest,
      behaviors: { cas: true, ...(keyPrefix === '' ? {} : { namespace: keyPrefix }) },
      encoding:
        serde === 'none'
          ? textAsBytes
          : pymemcacheEncoding({ serde, pickleProtocol, minCompressLen, preserve: rest.preserve }),
    },
  )
  const { selection } = pipelineOf(client).slots
  if (!(selection instanceof HealthSelection)) throw new Error('the strict client has another selection')
  const place = (key: Bytes): number => rendezvous(names, hashedText(key))!
  selection.rearrange({ ejects: false, lay: () => ({ place, at: () => 0 }) }, true)
  return client
}

/** Without a serde: Python's text of a value with flags 0, read as bytes. */
const textAsBytes: ValueEncoding = {
  name: 'pymemcache without a serde',
  encode(value) {
    if (value instanceof Uint8Array) return { flags: 0, data: value }
    const text = pythonText(value)
    if (!isAscii(text))
      throw new ValueEncodeError('pymemcache without a serde refuses text that is not ASCII')
    return { flags: 0, data: Buffer.from(text) }
  },
  decode: (_flags, data) => data,
}

/** The key as Python's format() shows it: text, or the representation of bytes that are no text. */
function hashedText(key: Bytes): string {
  const bytes = Buffer.from(key, 'latin1')
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) ? text : bytesRepr(key)
}
