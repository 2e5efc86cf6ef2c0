/** `--rows`: the operations of an audit as newline-delimited JSON, or as Parquet with the optional package hyparquet-writer. */

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { finished, pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type OperationRow, rowColumns } from '../audit/index.js'
import { fileReason } from '../ground/file-error.js'
import { UsageError } from './usage.js'

/** Rows that are written at once, so that a long audit keeps only these in memory. */
const portion = 10_000

/** Rows go to a file with this ending, which gets its name when it is whole. */
const unfinished = '.partial'

export interface RowFile {
  add(row: OperationRow): void
  /** @throws UsageError (rejection) if the file cannot be written */
  end(): Promise<void>
  /** Leaves no file. */
  discard(): Promise<void>
}

/** Writes rows to a file. */
interface RowWriter {
  add(row: OperationRow): void
  end(): Promise<void>
}

/** @throws UsageError (rejection) for another ending, a file that cannot be written, and Parquet without its package */
export async function rowFile(path: string): Promise<RowFile> {
  const isJson = /\.(nd)?jsonl?(\.gz)?$/.test(path)
  if (!isJson && !path.endsWith('.parquet'))
    throw new UsageError(`--rows ${path}: the name must end in .ndjson, .jsonl (or .gz of these) or .parquet`)
  const failed = (error: unknown) => new UsageError(`--rows ${path} cannot be written: ${fileReason(error)}`)
  const partial = `${path}${unfinished}`
  const there = await stat(path).catch(() => undefined)
  if (there?.isDirectory()) throw new UsageError(`--rows ${path} cannot be written: it is a folder`)
  let writer: RowWriter
  try {
    writer = isJson ? await jsonRows(partial, path.endsWith('.gz')) : await parquetRows(partial)
  } catch (error) {
    throw error instanceof UsageError ? error : failed(error)
  }
  return {
    add: (row) => writer.add(row),
    async end() {
      try {
        await writer.end()
        await rename(partial, path)
      } catch (error) {
        await rm(partial, { force: true })
        throw failed(error)
      }
    },
    async discard() {
      await writer.end().catch(() => undefined)
      await rm(partial, { force: true })
    },
  }
}

async function jsonRows(path: string, compressed: boolean): Promise<RowWriter> {
  const file = createWriteStream(path)
  await once(file, 'open')
  const gzip = compressed ? createGzip() : undefined
  const target = gzip ?? file
  // A full disk is reported at the end.
  const written = gzip ? pipeline(gzip, file) : finished(file)
  written.catch(() => undefined)
  let text = ''
  return {
    add(row) {
      text += `${JSON.stringify(row)}\n`
      if (text.length < 65_536) return
      target.write(text)
      text = ''
    },
    async end() {
      if (!target.destroyed) target.end(text)
      await written
    },
  }
}

/** The part of hyparquet-writer that is used. */
interface ParquetPackage {
  readonly fileWriter: (path: string) => unknown
  readonly ParquetWriter: new (
    options: object,
  ) => {
    write(options: object): void | Promise<void>
    finish(): void | Promise<void>
  }
}

async function parquetRows(path: string): Promise<RowWriter> {
  const { ParquetWriter, fileWriter } = await parquetPackage()
  const types: Readonly<Record<string, string>> = { STRING: 'BYTE_ARRAY' }
  const schema = [
    { name: 'root', num_children: rowColumns.length },
    ...rowColumns.map(([name, type]) => ({
      name,
      type: types[type] ?? type,
      ...(type === 'STRING' ? { converted_type: 'UTF8' } : {}),
      repetition_type: name === 'place' || name === 'key' ? 'OPTIONAL' : 'REQUIRED',
    })),
  ]
  const writer = new ParquetWriter({ writer: fileWriter(path), schema })
  let rows: OperationRow[] = []
  let written: Promise<void> = Promise.resolve()
  const flush = () => {
    if (rows.length === 0) return
    const given = rows
    rows = []
    const done = writer.write({
      columnData: rowColumns.map(([name, type]) => ({
        name,
        type,
        data: given.map((row) => (type === 'INT64' ? BigInt(row[name] as number) : (row[name] ?? undefined))),
      })),
    })
    if (done) written = written.then(() => done)
  }
  return {
    add(row) {
      rows.push(row)
      if (rows.length >= portion) flush()
    },
    async end() {
      flush()
      await written
      await writer.finish()
    },
  }
}

async function parquetPackage(): Promise<ParquetPackage> {
  // Optional: the name is not a literal, so that neither compilers nor bundlers look for it.
  const name = 'hyparquet-writer'
  try {
    return (await import(name)) as ParquetPackage
  } catch {
    throw new UsageError(
      '--rows with .parquet needs the package hyparquet-writer: npm install hyparquet-writer',
    )
  }
}
