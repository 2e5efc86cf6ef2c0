/** `--rows`: the operations of an audit as newline-delimited JSON, or as Parquet with the optional package hyparquet-writer. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type OperationRow, rowColumns } from '../audit/index.js'
import { UsageError } from './usage.js'

/** Rows that are written at once, so that a long audit keeps only these in memory. */
const portion = 10_000

export interface RowFile {
  add(row: OperationRow): void
  end(): Promise<void>
}

/** @throws UsageError (rejection) for another ending, a file that cannot be written, and Parquet without its package */
export async function rowFile(path: string): Promise<RowFile> {
  if (/\.(nd)?jsonl?(\.gz)?$/.test(path)) return jsonRows(path)
  if (path.endsWith('.parquet')) return parquetRows(path)
  throw new UsageError(`--rows ${path}: the name must end in .ndjson, .jsonl (or .gz of these) or .parquet`)
}

async function jsonRows(path: string): Promise<RowFile> {
  const file = createWriteStream(path)
  try {
    await once(file, 'open')
  } catch (error) {
    throw new UsageError(`--rows ${path} cannot be written: ${(error as NodeJS.ErrnoException).code}`)
  }
  const gzip = path.endsWith('.gz') ? createGzip() : undefined
  gzip?.pipe(file)
  const target = gzip ?? file
  let text = ''
  return {
    add(row) {
      text += `${JSON.stringify(row)}\n`
      if (text.length < 65_536) return
      target.write(text)
      text = ''
    },
    async end() {
      target.end(text)
      await finished(file)
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

async function parquetRows(path: string): Promise<RowFile> {
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
