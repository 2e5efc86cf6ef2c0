/**
 * pymemcache's way of reading the reply to each kind of command: a fixed number of lines, without checking their command. An unexpected line is an
 * exception, after which the connection is closed. No I/O. Source: docs/reference/pymemcache.md#8.
 */
import type { Bytes } from '../ground/bytes.js'
import { Statistics } from '../protocol/statistics.js'
import { IndexError, KeyError, ValueError } from '../python/errors.js'
import { bytesRepr } from '../python/repr.js'
import { pythonInteger } from '../values/encodings/integers.js'
import {
  MemcacheClientError,
  MemcacheServerError,
  MemcacheUnknownCommandError,
  MemcacheUnknownError,
} from './errors.js'
import type { Inbox } from './inbox.js'

/** The reader of the reply to a command. */
export interface Reading {
  /** The exception for the reply. */
  readonly failure: unknown
  /** The following bytes on the connection belong to the next command, also after a failure. */
  readonly inStep: boolean
  /** Reads the available bytes. @returns whether the reply is complete */
  take(inbox: Inbox): boolean
}

/** Longest line and largest data block in bytes: memcached sends no longer ones. */
const LONGEST_LINE = 65_536
const LARGEST_BLOCK = 1_073_741_824
/** The limit for the reply of a raw command before its end tokens. */
const LARGEST_SEGMENT = 32 * 1024 * 1024

/** memcached's refusal of an item that is too large. */
const TOO_LARGE = /^SERVER_ERROR object too large/

/** @throws the exception for an error line */
function raiseErrors(line: Bytes, command: Bytes): void {
  if (line.startsWith('ERROR')) throw new MemcacheUnknownCommandError(bytesRepr(command))
  if (line.startsWith('CLIENT_ERROR')) throw new MemcacheClientError(bytesRepr(said(line)))
  if (line.startsWith('SERVER_ERROR'))
    throw new MemcacheServerError(bytesRepr(said(line)), undefined, TOO_LARGE.test(line) ? 'size' : undefined)
}

const said = (line: Bytes): Bytes => line.slice(line.indexOf(' ') + 1)

function unknown(line: Bytes): MemcacheUnknownError {
  return new MemcacheUnknownError(bytesRepr(line.slice(0, 32)))
}

abstract class Read implements Reading {
  failure: unknown
  inStep = true

  take(inbox: Inbox): boolean {
    try {
      return this.read(inbox)
    } catch (error) {
      this.failure = error
      return true
    }
  }

  protected abstract read(inbox: Inbox): boolean

  protected line(inbox: Inbox): Bytes | undefined {
    const line = inbox.line()
    if (line === undefined && inbox.length > LONGEST_LINE) {
      this.inStep = false
      throw new MemcacheUnknownError(`a reply line of more than ${LONGEST_LINE} bytes`)
    }
    return line
  }
}

/** One line for each command. */
export class LinesReading extends Read {
  readonly lines: Bytes[] = []

  /** @param valid the allowed lines; undefined = any */
  constructor(
    private readonly command: Bytes,
    private readonly count: number,
    private readonly valid?: readonly Bytes[],
  ) {
    super()
  }

  protected read(inbox: Inbox): boolean {
    while (this.lines.length < this.count) {
      const line = this.line(inbox)
      if (line === undefined) return false
      this.inStep = this.lines.length === this.count - 1
      raiseErrors(line, this.command)
      if (this.valid && !this.valid.includes(line)) throw unknown(line)
      this.lines.push(line)
    }
    return true
  }
}

/** Everything before end tokens: raw_command. */
export class SegmentReading extends Read {
  segment: Bytes = ''

  constructor(
    private readonly command: Bytes,
    private readonly end: Bytes,
  ) {
    super()
    // The caller decides whether the connection is in step.
    this.inStep = false
  }

  protected read(inbox: Inbox): boolean {
    const segment = inbox.until(this.end)
    if (segment === undefined) {
      if (inbox.length <= LARGEST_SEGMENT) return false
      throw new MemcacheUnknownError(`a reply of more than ${LARGEST_SEGMENT} bytes without the end tokens`)
    }
    raiseErrors(segment, this.command)
    this.segment = segment
    return true
  }
}

/** Items until END or OK. */
export class FetchReading extends Read {
  private header:
    | { readonly index: number; readonly flags: Bytes; readonly cas: Bytes; readonly size: number }
    | undefined

  /**
   * @param keys as sent
   * @param cas the command is gets: five words a line
   * @param item receives an item; its error is the failure of the call, and the rest of the reply is still read
   */
  constructor(
    private readonly command: Bytes,
    private readonly keys: readonly Bytes[],
    private readonly cas: boolean,
    private readonly item: (index: number, flags: number, data: Buffer, cas: Bytes) => void,
  ) {
    super()
  }

  protected read(inbox: Inbox): boolean {
    for (;;) {
      if (this.header && !this.block(inbox)) return false
      const line = this.line(inbox)
      if (line === undefined) return false
      if (line === 'END' || line === 'OK') return true
      if (this.failure !== undefined) {
        // The item before the end of the reply has failed, for any line that ends it.
        if (/^(ERROR|CLIENT_ERROR|SERVER_ERROR)/.test(line)) return true
      } else raiseErrors(line, this.command)
      this.inStep = false
      if (!line.startsWith('VALUE')) throw unknown(line)
      this.begin(line)
    }
  }

  override take(inbox: Inbox): boolean {
    const first = this.failure
    const done = super.take(inbox)
    this.failure = first ?? this.failure
    return done
  }

  private begin(line: Bytes): void {
    const words = line.split(/[ \t\n\r\v\f]+/).filter((word) => word !== '')
    const wanted = this.cas ? 5 : 4
    if (words.length !== wanted) {
      const problem =
        words.length < wanted
          ? `not enough values to unpack (expected ${wanted}, got ${words.length})`
          : `too many values to unpack (expected ${wanted})`
      throw new ValueError(this.cas ? problem : `Unable to parse line ${bytesRepr(line)}: ${problem}`)
    }
    const [, key, flags, length, cas = ''] = words as [Bytes, Bytes, Bytes, Bytes, Bytes?]
    const size = integer(length)
    if (size > LARGEST_BLOCK || size < 0) throw unknown(line)
    this.header = { index: this.keys.lastIndexOf(key), flags, cas, size }
    this.unasked = key
  }

  private unasked: Bytes = ''

  private block(inbox: Inbox): boolean {
    const { index, flags, cas, size } = this.header!
    const data = inbox.bytes(size + 2)
    if (!data) return false
    this.header = undefined
    if (index < 0) throw new KeyError(bytesRepr(this.unasked))
    this.inStep = true
    if (this.failure !== undefined) return true
    const number = integer(flags)
    try {
      this.item(index, number, data.subarray(0, size), cas)
    } catch (error) {
      this.failure = error
    }
    return true
  }
}

/** Names and values until END or OK. */
export class StatsReading extends Read {
  private readonly kept = new Statistics()
  stats: [name: Bytes, value: Bytes][] = []

  protected read(inbox: Inbox): boolean {
    for (let line = this.line(inbox); line !== undefined; line = this.line(inbox)) {
      if (line === 'END' || line === 'OK') {
        this.stats = this.kept.take()
        return true
      }
      raiseErrors(line, 'stats')
      const words = line.split(/[ \t\n\r\v\f]+/).filter((word) => word !== '')
      this.inStep = false
      const [, name, ...value] = words
      if (line.startsWith('STAT')) {
        if (name === undefined) throw new IndexError('list index out of range')
        this.keep(name, value[0] ?? '')
      } else if (line.startsWith('ITEM')) {
        if (name === undefined) throw new IndexError('list index out of range')
        this.keep(name, value.join(' '))
      } else throw unknown(line)
    }
    return false
  }

  /** @throws MemcacheUnknownError for more than memcached ever sends */
  private keep(name: Bytes, value: Bytes): void {
    try {
      this.kept.add(name, value)
    } catch (error) {
      throw new MemcacheUnknownError((error as Error).message)
    }
  }
}

function integer(text: Bytes): number {
  return Number(pythonInteger(Buffer.from(text, 'latin1'), bytesRepr))
}
