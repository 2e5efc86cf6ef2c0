/**
 * The lines of `lru_crawler metadump all`, fed chunk by chunk. Measured on memcached 1.5.22 to 1.6.45: `size` is there from 1.5 on,
 * `flags` from 1.6.24 on, `OK` before the first line and a blank before the line feed from 1.6.43 on.
 */
import { checkBytes } from '../ground/arguments.js'
import type { Bytes } from '../ground/bytes.js'

/** A server or a file gives no listing of keys, or an invalid one. */
export class ListingError extends Error {
  override readonly name = 'ListingError'
  constructor(
    /** Server or file. */
    readonly source: string,
    readonly problem: string,
    /** The server is making a listing for another client: it can be asked again. */
    readonly busy = false,
  ) {
    super(`${source}: ${problem}`)
  }
}

/** One item as the server lists it. */
export interface ListedItem {
  /** Percent-decoded. */
  readonly key: Bytes
  /** Unix time in seconds; undefined for an item that does not expire. */
  readonly expires: number | undefined
  /** Unix time in seconds of the last access. */
  readonly accessed: number
  /** Whether it has been read since it was stored. */
  readonly fetched: boolean
  /** Bytes with the server's own header. */
  readonly size: number
  /** Undefined before 1.6.24. */
  readonly flags: number | undefined
}

/** Characters. A key has 250 bytes, percent-encoded 750. */
const longestLine = 4096

/** The largest number of lines that are not items. With more, the bytes are not a listing. */
const mostWrong = 100

export class MetadumpReader {
  private rest = ''
  private begun = false
  /** Whether the listing is complete. */
  ended = false
  items = 0
  wrong = 0

  constructor(
    private readonly source: string,
    private readonly item: (item: ListedItem) => void,
    /** Whether items without a size count, as memcached before 1.5 lists them; then their size is 0. */
    private readonly sizeless = false,
  ) {}

  /** @throws ListingError for an answer that is a refusal, and for lines that no listing has */
  push(chunk: Buffer): void {
    checkBytes('chunk', chunk)
    const text = this.rest + chunk.toString('latin1')
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0 && !this.ended; end = text.indexOf('\n', from)) {
      this.line(text, from, end)
      from = end + 1
    }
    this.rest = this.ended ? '' : text.slice(from)
    if (this.rest.length > longestLine)
      throw new ListingError(
        this.source,
        `sends a line of more than ${longestLine} bytes, which is not an item`,
      )
  }

  private line(text: string, from: number, end: number): void {
    if (end - from > longestLine)
      throw new ListingError(
        this.source,
        `sends a line of more than ${longestLine} bytes, which is not an item`,
      )
    if (text.startsWith('key=', from)) {
      const item = itemOf(text, from, end, this.sizeless)
      if (item) {
        this.items++
        this.item(item)
      } else this.refuse(text.slice(from, end))
      return
    }
    const line = text.slice(from, end).trim()
    if (line === 'END' || line === 'EN') this.ended = true
    else if (line === 'OK' && !this.begun) this.begun = true
    else if (line !== '') {
      const why = refusal(line)
      if (why !== undefined) throw new ListingError(this.source, why, line.startsWith('BUSY'))
      this.refuse(line)
    }
  }

  private refuse(line: string): void {
    if (++this.wrong > mostWrong || this.items === 0)
      throw new ListingError(
        this.source,
        `sends ${JSON.stringify(line.slice(0, 80))}, which is not an item of a listing`,
      )
  }
}

/** The meaning of a server's refusal, with advice. */
function refusal(line: string): string | undefined {
  if (line.startsWith('BUSY'))
    return 'the server is making another listing (BUSY): wait for its end, and scan again'
  if (/crawler disabled/.test(line))
    return 'its LRU crawler is off: start memcached with -o lru_crawler (the default from 1.5.0 on), or send "lru_crawler enable"'
  if (line === 'ERROR')
    return 'does not know "lru_crawler metadump": it needs memcached 1.4.31 or newer, not a proxy or a service in front of it'
  if (/^(ERROR|CLIENT_ERROR|SERVER_ERROR)/.test(line)) return `refuses the listing: ${line.slice(0, 200)}`
  return undefined
}

/** @returns undefined for a line without the fields that every item has */
function itemOf(text: string, from: number, end: number, sizeless: boolean): ListedItem | undefined {
  const keyEnd = text.indexOf(' ', from)
  if (keyEnd < 0 || keyEnd > end) return undefined
  const encoded = text.slice(from + 4, keyEnd)
  let [exp, la, size] = [Number.NaN, Number.NaN, sizeless ? 0 : Number.NaN]
  let flags: number | undefined
  let fetched = false
  for (let at = keyEnd + 1; at < end; ) {
    let stop = text.indexOf(' ', at)
    if (stop < 0 || stop > end) stop = end
    const equals = text.indexOf('=', at)
    if (equals > at && equals < stop) {
      const name = text.slice(at, equals)
      const value = text.slice(equals + 1, stop)
      if (name === 'exp') exp = Number(value)
      else if (name === 'la') la = Number(value)
      else if (name === 'size') size = Number(value)
      else if (name === 'flags') flags = Number(value)
      else if (name === 'fetch') fetched = value === 'yes'
    }
    at = stop + 1
  }
  const sound =
    encoded !== '' &&
    Number.isSafeInteger(exp) &&
    Number.isSafeInteger(la) &&
    Number.isSafeInteger(size) &&
    size >= 0 &&
    (flags === undefined || Number.isSafeInteger(flags))
  if (!sound) return undefined
  return {
    key: percentDecoded(encoded),
    expires: exp < 0 ? undefined : exp,
    accessed: la,
    fetched,
    size,
    flags,
  }
}

function percentDecoded(text: string): Bytes {
  if (!text.includes('%')) return text
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
