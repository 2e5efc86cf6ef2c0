/** Trace files of a recording: mode 0600, gzip, a new part at a size. */

import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createGzip, type Gzip } from 'node:zlib'
import { fileReason } from '../ground/file-error.js'
import { RecordError } from './settings.js'

/** Bytes that wait for the disk before the source of the recording has to wait. */
const mostBehind = 4 * 1024 * 1024

interface Part {
  readonly path: string
  readonly file: WriteStream
  readonly gzip: Gzip | undefined
  /** Written lines, before compression. */
  bytes: number
}

export class TraceFiles {
  private part: Part | undefined
  private count = 0
  private failure: Error | undefined
  private closing: Promise<void> = Promise.resolve()
  /** The existing files, the oldest first. */
  readonly paths: string[] = []
  /** Files that were deleted because of the limit. */
  deleted = 0

  constructor(
    private readonly out: string,
    private readonly maxBytes: number | undefined,
    private readonly files: number | undefined,
  ) {}

  /** The number of the current part, from 1. */
  get number(): number {
    return this.count
  }

  /** Whether the part has reached its size. For a compressed part the compressed bytes count. */
  get full(): boolean {
    if (this.maxBytes === undefined || this.part === undefined) return false
    const { gzip, file, bytes } = this.part
    return (gzip ? file.bytesWritten + file.writableLength : bytes) >= this.maxBytes
  }

  /** Bytes that are not yet on disk. */
  get behind(): number {
    if (!this.part) return 0
    return this.part.file.writableLength + (this.part.gzip?.writableLength ?? 0)
  }

  /** Checks the file before anything is written. @throws RecordError if the first file exists or its folder does not */
  async check(): Promise<void> {
    if (await exists(this.out)) throw alreadyThere(this.out)
    if (!(await exists(dirname(this.out))))
      throw new RecordError(`${this.out}: cannot be written: there is no folder ${dirname(this.out)}`)
  }

  /** Begins a part. @throws RecordError when its file is there already or cannot be written */
  async begin(): Promise<void> {
    this.closing = Promise.all([this.closing, this.finish()]).then(() => undefined)
    this.count++
    const path = this.count === 1 ? this.out : partName(this.out, this.count)
    const handle = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
      this.failure =
        error.code === 'EEXIST'
          ? alreadyThere(path)
          : new RecordError(`${path}: cannot be written: ${fileReason(error)}`)
      throw this.failure
    })
    await handle.close()
    const file = createWriteStream(path, { flags: 'r+' })
    const fail = (error: Error) => {
      this.failure ??= new RecordError(`${path}: cannot be written: ${fileReason(error)}`)
    }
    file.on('error', fail)
    const gzip = this.out.endsWith('.gz') ? createGzip() : undefined
    gzip?.on('error', fail)
    gzip?.pipe(file)
    this.part = { path, file, gzip, bytes: 0 }
    this.paths.push(path)
    while (this.files !== undefined && this.paths.length > this.files) {
      await rm(this.paths.shift()!, { force: true })
      this.deleted++
    }
  }

  /** @param text whole lines @throws RecordError when no part could be begun */
  write(text: string): void {
    const { part } = this
    if (!part) throw this.failure ?? new RecordError(`${this.out}: no part was begun`)
    part.bytes += Buffer.byteLength(text)
    ;(part.gzip ?? part.file).write(text)
  }

  /** Waits until the disk has caught up. @throws RecordError when writing has failed */
  async caughtUp(): Promise<void> {
    if (this.failure) throw this.failure
    const part = this.part
    if (!part || this.behind < mostBehind) return
    const stream = part.gzip?.writableNeedDrain ? part.gzip : part.file
    if (stream.writableNeedDrain) await Promise.race([once(stream, 'drain'), once(part.file, 'close')])
    if (this.failure) throw this.failure
  }

  /** @throws RecordError when something could not be written */
  async end(): Promise<void> {
    await Promise.all([this.closing, this.finish()])
    if (this.failure) throw this.failure
  }

  /** Deletes the written files, which are closed already. */
  async discard(): Promise<void> {
    for (const path of this.paths.splice(0)) await rm(path, { force: true })
  }

  private async finish(): Promise<void> {
    const part = this.part
    this.part = undefined
    if (!part) return
    const closed = part.file.closed ? undefined : once(part.file, 'close')
    ;(part.gzip ?? part.file).end()
    await closed?.catch(() => undefined)
  }
}

function alreadyThere(path: string): RecordError {
  return new RecordError(`${path}: there is such a file already: choose another name or move it away`)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** `app.jsonl.gz` → `app.2.jsonl.gz`. */
function partName(out: string, number: number): string {
  const [, stem, ending] = /^(.*?)((?:\.jsonl)?(?:\.gz)?)$/s.exec(out)!
  return `${stem}.${number}${ending}`
}
