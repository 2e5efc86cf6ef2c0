/**
 * Reads values without a use of the item: `mg … u` does not change its place in the LRU and its last access (measured on memcached 1.6.6 to 1.6.45);
 * before 1.6.0 there is only `get`.
 */
import type { Bytes } from '../ground/bytes.js'
import { ListingError } from '../protocol/metadump.js'
import type { LineConnection } from '../transport/line-connection.js'

export interface ReadValue {
  readonly flags: number
  readonly data: Buffer
}

/** The largest value that is read, in bytes. */
const longestValue = 16 * 1024 * 1024

export class ValueReader {
  private known: 'mg' | 'get' | undefined
  /** Keys in base64 came with 1.6.10. */
  private base64 = false

  constructor(private readonly connection: LineConnection) {}

  /** The command for this server. @throws TransportError (rejection) */
  async way(): Promise<'mg' | 'get'> {
    this.known ??= (await this.knowsMeta()) ? 'mg' : 'get'
    return this.known
  }

  /** Version 1.5 and drafts of 1.6 have other flags or none. */
  private async knowsMeta(): Promise<boolean> {
    this.connection.send('mn\r\n')
    if ((await this.connection.line()) !== 'MN') return false
    this.connection.send('mg memshim v f u\r\n')
    const plain = await this.connection.line()
    if (plain.startsWith('VA ')) await this.value(plain)
    else if (plain !== 'EN') return false
    this.connection.send('mg bWVtc2hpbQ== b f u\r\n')
    this.base64 = /^(EN|HD|OK)/.test(await this.connection.line())
    return true
  }

  /** @returns undefined when the item is gone @throws ListingError, TransportError (rejection) */
  async read(key: Bytes): Promise<ReadValue | 'unaskable' | undefined> {
    const odd = /[\0-\x20\x7f]/.test(key)
    const way = await this.way()
    if (odd && !(way === 'mg' && this.base64)) return 'unaskable'
    const name = odd ? `${Buffer.from(key, 'latin1').toString('base64')} b` : key
    this.connection.send(way === 'mg' ? `mg ${name} v f u\r\n` : `get ${key}\r\n`)
    const line = await this.connection.line()
    if (line === 'EN' || line === 'END') return undefined
    const found = await this.value(line)
    if (way === 'get') await this.connection.line()
    return found
  }

  private async value(line: Bytes): Promise<ReadValue> {
    const meta = /^VA (\d+)(?: .*?)?\bf(\d+)/.exec(line)
    const plain = /^VALUE \S+ (\d+) (\d+)/.exec(line)
    const [length, flags] = meta ? [meta[1], meta[2]] : [plain?.[2], plain?.[1]]
    if (length === undefined || Number(length) > longestValue)
      throw new ListingError(
        this.connection.server,
        `answers ${JSON.stringify(line.slice(0, 80))} to the request for a value`,
      )
    const data = await this.connection.exactly(Number(length) + 2)
    return { flags: Number(flags), data: data.subarray(0, -2) }
  }
}
