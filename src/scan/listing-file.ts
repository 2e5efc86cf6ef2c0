/** Saved listings: the output of `lru_crawler metadump all`, plain or gzip. */

import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { constants, createGunzip } from 'node:zlib'
import { checkText } from '../ground/arguments.js'
import { fileReason } from '../ground/file-error.js'
import { type ListedItem, ListingError, MetadumpReader } from '../protocol/metadump.js'

/** Stands for standard input instead of a path. */
const standardInput = '-'
const lineEnd = Buffer.from('\n')

/**
 * The items of a saved listing, in its order.
 * @param path a file, plain or gzip (recognised by its content); `-` is standard input
 * @throws ListingError (while iterating) for a file that cannot be read, that is not a listing, or that holds no item; TypeError for another path
 */
export async function* listedItems(path: string): AsyncGenerator<ListedItem> {
  checkText('path', path)
  let items: ListedItem[] = []
  const reader = new MetadumpReader(path, (item) => items.push(item))
  for await (const chunk of listingBytes(path)) {
    reader.push(chunk)
    yield* items
    items = []
  }
  // The last line may lack its line end.
  if (!reader.ended) reader.push(lineEnd)
  yield* items
  if (reader.items === 0) throw new ListingError(path, 'has no line of lru_crawler metadump')
}

/** @throws ListingError (while iterating) for a file that cannot be read or is damaged */
export async function* listingBytes(path: string): AsyncGenerator<Buffer> {
  try {
    const chunks = (path === standardInput ? process.stdin : createReadStream(path))[Symbol.asyncIterator]()
    const first = await chunks.next()
    if (first.done) return
    const all = (async function* (): AsyncGenerator<Buffer> {
      for (let next: IteratorResult<unknown> = first; !next.done; next = await chunks.next())
        yield next.value as Buffer
    })()
    yield* isGzip(first.value as Buffer) ? inflated(all) : all
  } catch (error) {
    throw new ListingError(path, `cannot be read: ${fileReason(error)}`)
  }
}

function inflated(chunks: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  // An incomplete file is read as far as it goes.
  const gunzip = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH })
  return pipeline(Readable.from(chunks), gunzip, () => {})
}

function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}
