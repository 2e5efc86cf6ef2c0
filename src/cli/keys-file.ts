/** Keys from a file: one a line, or a listing of `lru_crawler metadump`; plain or gzip. */

import { isUtf8 } from 'node:buffer'
import { printable } from '../ground/printable.js'
import { ListingError, MetadumpReader } from '../scan/index.js'
import { listingBytes } from '../scan/listing-file.js'
import { UsageError } from './usage.js'

/** A key; bytes when it is not UTF-8. */
export type GivenKey = string | Buffer

/** The largest size of a file of keys, in bytes. */
const longestKeys = 256 * 1024 * 1024
const lineFeed = 0x0a
const carriageReturn = 0x0d
/** memcached 1.6.43 and later send OK first. */
const listing = /^(?:OK\r?\n)?key=\S+ exp=-?\d+ la=/

/** @param path `-` is standard input @throws UsageError for a file that cannot be read, or holds no key */
export async function keysIn(path: string): Promise<GivenKey[]> {
  const keys: GivenKey[] = []
  const add = (key: Buffer) => {
    if (key.length > 0) keys.push(isUtf8(key) ? key.toString('utf8') : key)
  }
  try {
    const bytes = await contentOf(path)
    if (listing.test(bytes.toString('latin1', 0, 1000))) {
      const reader = new MetadumpReader(path, ({ key }) => add(Buffer.from(key, 'latin1')))
      reader.push(bytes)
      if (!reader.ended) reader.push(Buffer.of(lineFeed))
    } else for (const line of linesOf(bytes)) add(line)
  } catch (error) {
    throw error instanceof ListingError ? new UsageError(`--keys ${error.message}`) : error
  }
  if (keys.length === 0) throw new UsageError(`--keys ${path} holds no key: one a line is needed`)
  return keys
}

function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(lineFeed, from)
    const end = found < 0 ? bytes.length : found
    yield bytes.subarray(from, bytes[end - 1] === carriageReturn && end > from ? end - 1 : end)
    from = end + 1
  }
}

async function contentOf(path: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of listingBytes(path)) {
    chunks.push(chunk)
    length += chunk.length
    if (length > longestKeys) throw new UsageError(`--keys ${path} is longer than ${longestKeys} bytes`)
  }
  return Buffer.concat(chunks, length)
}

/** For a terminal: control characters as escapes, and bytes that are not text as well. */
export function printableKey(key: GivenKey): string {
  const text = typeof key === 'string' ? key : key.toString('latin1')
  const shown = typeof key === 'string' ? /[\x00-\x1f\x7f-\x9f]/g : /[^\x20-\x7e]/g
  return printable(text, shown)
}

/** A key in JSON. */
export function keyAsJson(key: GivenKey): string | { readonly $bytes: string } {
  return typeof key === 'string' ? key : { $bytes: key.toString('latin1') }
}

/** Node has already turned bytes that are not UTF-8 into U+FFFD. @throws UsageError */
export function checkKeyArgument(key: string): void {
  if (key.includes('\ufffd'))
    throw new UsageError(
      `the key ${printableKey(key)} was not given in UTF-8: put it in a file, one key a line, and use --keys FILE`,
    )
}
