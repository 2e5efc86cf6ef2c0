/** A file that an option names, read whole. Its length is limited, because a device or a wrong file may never end. */

import { createReadStream } from 'node:fs'
import { fileReason } from '../ground/file-error.js'
import { UsageError } from './usage.js'

const mebibyte = 1024 * 1024

/** The largest sizes in bytes. An item of memcached has at most 1 GiB (`-I`). */
export const largest = {
  settings: mebibyte,
  certificates: 16 * mebibyte,
  report: 256 * mebibyte,
  value: 1024 * mebibyte,
}

/**
 * @param named begins the message of an error: the option and the path
 * @param most in bytes
 * @throws UsageError (rejection) for a file that cannot be read or is longer; its `cause` is the error of the file system
 */
export async function inputFile(named: string, path: string, most: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of createReadStream(path, { end: most })) {
      chunks.push(chunk)
      length += chunk.length
    }
  } catch (error) {
    throw new UsageError(`${named} cannot be read: ${fileReason(error)}`, { cause: error })
  }
  if (length > most) throw new UsageError(`${named} is longer than ${most} bytes`)
  return Buffer.concat(chunks, length)
}
