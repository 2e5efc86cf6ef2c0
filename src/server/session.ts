/** One connection of a server or a proxy. It answers requests in order and applies the faults. */
import type { Socket } from 'node:net'
import type { Bytes } from '../ground/bytes.js'
import { observe } from '../ground/observers.js'
import { opcode } from '../protocol/binary/opcodes.js'
import type { Command } from './commands/command.js'
import { type Frame, RequestFraming } from './commands/framing.js'
import type { Answer, Pieces } from './commands/respond.js'
import type { Ending, RequestFault } from './fault.js'
import type { ServerFacts } from './versions.js'

/** A request and its reply as they were on the wire. */
export interface RecordedExchange {
  /** Number of the connection, from 0. */
  readonly connection: number
  readonly sent: Bytes
  /** The reply, as changed by faults; null if there was none. */
  readonly received: Bytes | null
}

/** Answers the requests of one connection. */
export interface Answerer {
  answer(frame: Frame): Answer | Promise<Answer>
  /** Called when the connection has ended. */
  close?(): void
}

export interface SessionOptions {
  readonly number: number
  readonly longestKept: number
  /** The facts for reading requests. Default: those of the default version. */
  readonly facts?: ServerFacts | undefined
  readonly answerer: Answerer
  readonly nextFault: () => RequestFault | undefined
  /** Called with the first bytes of a request. */
  readonly nextUnread: () => 'stall' | 'reset' | undefined
  readonly read?: ((bytes: number) => void) | undefined
  readonly written?: ((bytes: number) => void) | undefined
  readonly record?: ((exchange: RecordedExchange) => void) | undefined
}

export function serve(socket: Socket, options: SessionOptions): void {
  const framing = new RequestFraming(options.longestKept, options.facts)
  const waiting: Frame[] = []
  let working = false
  let closed = false
  /** Whether later requests on this connection are read and dropped. */
  let mute = false

  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    closed = true
    waiting.length = 0
    options.answerer.close?.()
  })
  socket.on('data', (chunk: Buffer) => {
    options.read?.(chunk.length)
    if (mute) return
    const unread = working || framing.begun ? undefined : options.nextUnread()
    if (unread) {
      socket.pause()
      finishWith(unread)
      return
    }
    try {
      for (const frame of framing.push(chunk)) waiting.push(frame)
    } catch {
      socket.destroy()
      return
    }
    // An exception in a request ends only its own connection.
    if (!working) work().catch(() => socket.destroy())
  })

  async function work(): Promise<void> {
    working = true
    // One write for all replies to one chunk.
    socket.cork()
    while (waiting.length > 0 && !closed && !mute) {
      const frame = waiting.shift()!
      // A script cannot refer to `quit`.
      const fault = isGoodbye(frame.command) ? undefined : options.nextFault()
      if (fault) await faulty(frame, fault)
      else {
        const asked = options.answerer.answer(frame)
        if (asked instanceof Promise) {
          socket.uncork()
          answer(frame, await asked)
          socket.cork()
        } else answer(frame, asked)
      }
    }
    socket.uncork()
    working = false
    if (framing.broken) finish()
  }

  function answer(frame: Frame, reply: Answer): void {
    const pieces = 'goodbye' in reply ? reply.goodbye : reply
    for (const piece of pieces) write(piece)
    if (options.record) record(frame, pieces.length > 0 ? text(pieces) : null)
    if ('goodbye' in reply) finish()
  }

  async function faulty(frame: Frame, fault: RequestFault): Promise<void> {
    switch (fault.fault) {
      case 'unread':
        // The fault applies only to a request that arrives separately. This one arrived complete after another one.
        finishWith(fault.then ?? 'stall')
        return
      case 'close':
      case 'reset':
      case 'stall':
        record(frame, null)
        if (fault.fault !== 'stall' || fault.later !== 'answered') finishWith(fault.fault)
        return
      case 'reply':
        record(frame, fault.bytes)
        write(fault.bytes)
        return
    }
    const reply = await options.answerer.answer(frame)
    if ('goodbye' in reply) {
      answer(frame, reply)
      return
    }
    const whole = text(reply)
    if (fault.fault === 'truncate') {
      const part = whole.slice(0, fault.bytes)
      record(frame, part)
      write(part)
      finishWith(fault.then ?? 'close')
      return
    }
    record(frame, whole === '' ? null : whole)
    for (const byte of whole) {
      if (closed) return
      socket.uncork()
      write(byte)
      socket.cork()
      await new Promise((resolve) => setTimeout(resolve, fault.ms))
    }
  }

  function write(piece: Buffer | Bytes): void {
    if (closed || piece.length === 0) return
    options.written?.(piece.length)
    if (typeof piece === 'string') socket.write(piece, 'latin1')
    else socket.write(piece)
  }

  function finishWith(ending: Ending): void {
    if (ending === 'reset') {
      closed = true
      socket.uncork()
      socket.resetAndDestroy()
    } else if (ending === 'close') finish()
    else {
      // The client would take a later reply for the reply to this request.
      mute = true
      waiting.length = 0
    }
  }

  function finish(): void {
    closed = true
    socket.uncork()
    hangUp(socket)
  }

  function record(frame: Frame, received: Bytes | null): void {
    if (!options.record) return
    const exchange = { connection: options.number, sent: sentBytes(frame), received }
    observe('record', () => options.record?.(exchange))
  }
}

export function isGoodbye(command: Command): boolean {
  return command.kind === 'quit' || (command.kind === 'binary' && command.opcode === opcode.QUIT)
}

/** Closes without RST, so that the written bytes still arrive. */
export function hangUp(socket: Socket): void {
  socket.end(() => socket.destroy())
}

function sentBytes({ line, data }: Frame): Bytes {
  return line.toString('latin1') + (data ?? '')
}

function text(pieces: Pieces): Bytes {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : piece.toString('latin1'))).join('')
}
