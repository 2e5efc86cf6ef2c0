/**
 * Cuts a byte stream into requests as memcached does: a command line, and its data block when the line announces
 * one that memcached would read. No I/O. The chunk boundaries make no difference (except for lines over 2048 bytes,
 * where memcached itself checks the bytes that have arrived).
 */

import type { Bytes } from '../../ground/bytes.js'
import { defaultVersion, type ServerFacts, serverFacts } from '../versions.js'
import { binaryMagic, headLength, parseBinary } from './binary-command.js'
import { type Command, parseCommand } from './command.js'
import { parseRequest } from './requests.js'

export interface Frame {
  readonly command: Command
  /** The command line with its line end; of a binary request header, extras and key. */
  readonly line: Buffer
  /** Data block with the two bytes after it (CRLF, when all is well), or a binary value; absent when it was too long to be kept. */
  readonly data?: Bytes
}

/** The longest unfinished line of a command other than get and gets. A longer one ends the connection. */
const longestUnfinished = 2048
const newline = 10
const binaryHeader = 24

export class RequestFraming {
  private pending: Buffer[] = []
  private pendingBytes = 0
  /** The first byte decides for the whole connection. */
  private protocol: 'text' | 'binary' | undefined
  private head: Buffer = Buffer.alloc(0)
  /** The request whose data block is being read. */
  private open:
    | { frame: Frame; kept: boolean; data: Buffer | undefined; have: number; need: number }
    | undefined
  /** Whether the connection has to be closed, because a line is too long to be a command, or a request has another magic byte. */
  broken = false

  /** @param longestKept data blocks over this many bytes are read but not kept */
  constructor(
    private readonly longestKept = Number.POSITIVE_INFINITY,
    private readonly facts: ServerFacts = serverFacts(defaultVersion),
  ) {}

  /** Whether part of a request has arrived. */
  get begun(): boolean {
    return this.open !== undefined || this.head.length > 0 || this.pendingBytes > 0
  }

  /** Returns the requests that these bytes complete. The frames have copies of their data, so that `chunk` may be reused. */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = []
    let at = 0
    while (at < chunk.length && !this.broken) {
      if (this.open) at = this.fill(chunk, at, frames)
      else if (this.spoken(chunk[at]!) === 'binary') at = this.binaryPart(chunk, at, frames)
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
    // A CR that stands alone before the line end is a word.
    const end = line.length > 2 && line[line.length - 2] === 13 ? line.length - 2 : line.length - 1
    const text = line.toString('latin1', 0, end)
    const command =
      this.facts.parser === 'requests'
        ? parseRequest(text, line.length, this.facts)
        : parseCommand(text, this.facts)
    const frame: Frame = { command, line }
    if (command.kind !== 'store') {
      frames.push(frame)
      return
    }
    this.expect(frame, command.length, 2)
  }

  private expect(frame: Frame, length: number, lineEnd: number): void {
    const need = length + lineEnd
    this.open = { frame, kept: length <= this.longestKept, data: undefined, have: 0, need }
  }

  private fill(chunk: Buffer, at: number, frames: Frame[]): number {
    const open = this.open!
    const taken = Math.min(open.need - open.have, chunk.length - at)
    const end = at + taken
    const whole = taken === open.need
    if (open.kept && !whole) {
      open.data ??= Buffer.allocUnsafeSlow(open.need)
      chunk.copy(open.data, open.have, at, end)
    }
    open.have += taken
    if (open.have === open.need) {
      const { command, line } = open.frame
      const data = whole ? chunk.toString('latin1', at, end) : open.data?.toString('latin1')
      frames.push(open.kept ? { command, line, data: data ?? '' } : open.frame)
      this.open = undefined
    }
    return end
  }

  private spoken(first: number): 'text' | 'binary' {
    this.protocol ??= first === binaryMagic ? 'binary' : 'text'
    return this.protocol
  }

  private binaryPart(chunk: Buffer, at: number, frames: Frame[]): number {
    const part = chunk.subarray(at, at + headLength(this.head) - this.head.length)
    this.head = Buffer.concat([this.head, part])
    if (this.head.length >= binaryHeader && this.head[0] !== binaryMagic) this.broken = true
    else if (this.head.length >= binaryHeader && this.head.length === headLength(this.head)) {
      const command = parseBinary(this.head, this.facts)
      const frame: Frame = { command, line: this.head }
      this.head = Buffer.alloc(0)
      if (command.length > 0) this.expect(frame, command.length, 0)
      else frames.push(frame)
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
    // The bytes are copied in either case, because the chunk belongs to the socket.
    if (this.pendingBytes === 0) return Buffer.from(last)
    const line = Buffer.concat([...this.pending, last])
    this.pending = []
    this.pendingBytes = 0
    return line
  }
}
