/**
 * Cuts a byte stream into requests as memcached 1.6.18 does: a command line, and its data block when the line announces
 * one that memcached would read. No I/O. Any chunk boundary gives the same requests (lines over 2048 bytes excepted,
 * where memcached itself looks at what has arrived so far).
 */
import { type Command, parseCommand } from './command.js'

export interface Frame {
  readonly command: Command
  /** The command line with its line end. */
  readonly line: Buffer
  /** Data block with the two bytes after it (CRLF, when all is well); absent when it was too long to be kept. */
  readonly data?: Buffer
}

/** Unfinished lines longer than this end the connection, unless they are a get or gets. */
const longestUnfinished = 2048
const newline = 10
const binaryMagic = 0x80
const binaryHeader = 24

export class RequestFraming {
  private pending: Buffer[] = []
  private pendingBytes = 0
  private binary: Buffer | undefined
  /** A store command whose data block is being read. */
  private open: { frame: Frame; data: Buffer | undefined; have: number; need: number } | undefined
  /** The line was too long to be a command: the connection has to be closed. */
  broken = false

  /** @param longestKept data blocks over this many bytes are read but not kept */
  constructor(private readonly longestKept = Number.POSITIVE_INFINITY) {}

  /** Has part of a request arrived, and not its end? */
  get begun(): boolean {
    return this.open !== undefined || this.binary !== undefined || this.pendingBytes > 0
  }

  /** The requests that these bytes complete. The frames own their data; `chunk` may be reused. */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = []
    let at = 0
    while (at < chunk.length && !this.broken) {
      if (this.open) at = this.fill(chunk, at, frames)
      else if (this.binary || (this.pendingBytes === 0 && chunk[at] === binaryMagic))
        at = this.binaryPart(chunk, at, frames)
      else {
        const end = chunk.indexOf(newline, at)
        if (end < 0) {
          this.keep(chunk.subarray(at))
          break
        }
        this.line(this.joined(chunk.subarray(at, end + 1)), frames)
        at = end + 1
      }
    }
    return frames
  }

  private line(line: Buffer, frames: Frame[]): void {
    // A lone CR before the line end is a word, not a line end.
    const end = line.length > 2 && line[line.length - 2] === 13 ? line.length - 2 : line.length - 1
    const command = parseCommand(line.toString('latin1', 0, end))
    const frame: Frame = { command, line }
    if (command.kind !== 'store') {
      frames.push(frame)
      return
    }
    const need = command.length + 2
    const data = command.length > this.longestKept ? undefined : Buffer.allocUnsafeSlow(need)
    this.open = { frame, data, have: 0, need }
  }

  private fill(chunk: Buffer, at: number, frames: Frame[]): number {
    const open = this.open!
    const taken = Math.min(open.need - open.have, chunk.length - at)
    if (open.data) chunk.copy(open.data, open.have, at, at + taken)
    open.have += taken
    if (open.have === open.need) {
      frames.push(open.data ? { ...open.frame, data: open.data } : open.frame)
      this.open = undefined
    }
    return at + taken
  }

  /** A request of the binary protocol: a header, and the body whose length it tells. */
  private binaryPart(chunk: Buffer, at: number, frames: Frame[]): number {
    const have = this.binary ?? Buffer.alloc(0)
    const need = have.length < binaryHeader ? binaryHeader : binaryHeader + have.readUInt32BE(8)
    const part = chunk.subarray(at, at + need - have.length)
    this.binary = Buffer.concat([have, part])
    const whole =
      this.binary.length >= binaryHeader && this.binary.length === binaryHeader + this.binary.readUInt32BE(8)
    if (whole) {
      frames.push({ command: { kind: 'binary', opcode: this.binary[1]! }, line: this.binary })
      this.binary = undefined
    }
    return at + part.length
  }

  private keep(rest: Buffer): void {
    this.pending.push(Buffer.from(rest))
    this.pendingBytes += rest.length
    if (this.pendingBytes <= longestUnfinished) return
    const start = Buffer.concat(
      this.pending.length > 1 ? this.pending : [rest],
      Math.min(this.pendingBytes, 256),
    )
    if (!/^ {0,100}gets? /.test(start.toString('latin1'))) this.broken = true
  }

  private joined(last: Buffer): Buffer {
    // A copy in either case: the chunk belongs to the socket.
    const line = Buffer.concat([...this.pending, last])
    this.pending = []
    this.pendingBytes = 0
    return line
  }
}
