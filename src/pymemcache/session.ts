/** One connection as pymemcache uses it: after an exception it is closed, and the next call opens another. Source: docs/reference/pymemcache.md#8, #9. */
import type { Bytes } from '../ground/bytes.js'
import { Connection } from '../transport/connection.js'
import { closeWhenDropped } from '../transport/dropped.js'
import type { TransportError } from '../transport/errors.js'
import { command, pymemcacheProtocol } from './conversation.js'
import { MemcacheUnexpectedCloseError, SocketError } from './errors.js'
import type { ServerSpec, Settings } from './options.js'
import type { Reading } from './readings.js'

export class Session {
  private readonly exchange: Connection
  private underWay = 0
  private broken = false

  constructor(server: ServerSpec, settings: Settings) {
    this.exchange = new Connection(server.address, {
      protocol: pymemcacheProtocol,
      timeout: settings.timeout,
      connectTimeout: settings.connectTimeout,
      noDelay: settings.noDelay,
      connect: settings.connect,
      tls: settings.tls,
      stale: 'fail',
    })
    closeWhenDropped(this, [this.exchange])
  }

  /**
   * Sends a command, and waits until its reply is read; without a reading until it has been sent.
   * @throws the failure of the reading (rejection), SocketError, MemcacheUnexpectedCloseError
   */
  run(pieces: readonly (Bytes | Uint8Array)[], reading?: Reading): Promise<void> {
    this.underWay++
    return this.exchange.exchange(command(pieces, reading), undefined, {
      reply: () => {
        this.underWay--
        if (reading?.failure === undefined) return this.settle()
        this.broken = true
        if (!reading.inStep) this.close()
        else this.settle()
        throw reading.failure
      },
      failed: (error) => {
        this.underWay--
        this.broken = false
        throw socketError(error)
      },
    })
  }

  /** A call without a command: it opens the connection if there is none, and detects a reset. @throws SocketError (rejection) */
  async connect(): Promise<void> {
    if (this.exchange.wasReset) return this.run([])
    try {
      await this.exchange.connect()
    } catch (error) {
      throw socketError(error as TransportError)
    }
  }

  /** Waits until other pending calls are answered, whose answers are in step. */
  private settle(): void {
    if (this.broken && this.underWay === 0) this.close()
  }

  close(): void {
    this.broken = false
    this.exchange.close()
  }
}

const classes: Readonly<Record<string, readonly [python: string, message: string]>> = {
  ECONNREFUSED: ['builtins.ConnectionRefusedError', '[Errno 111] Connection refused'],
  ECONNRESET: ['builtins.ConnectionResetError', '[Errno 104] Connection reset by peer'],
  EPIPE: ['builtins.BrokenPipeError', '[Errno 32] Broken pipe'],
  ENOENT: ['builtins.FileNotFoundError', '[Errno 2] No such file or directory'],
  EACCES: ['builtins.PermissionError', '[Errno 13] Permission denied'],
}

function socketError(error: TransportError): Error {
  const { kind, server, cause, code } = error
  if (kind === 'closed' || kind === 'aborted') return new MemcacheUnexpectedCloseError('', { cause: error })
  if (kind === 'internal' && cause instanceof Error) return cause
  // An error of Python in the place of a socket's error, in replays.
  if (cause instanceof Error && 'python' in cause) return cause
  const facts = { cause: error, code, server }
  if (kind === 'timeout' || kind === 'connect-timeout')
    return new SocketError('builtins.TimeoutError', 'timed out', facts)
  if (kind === 'lookup')
    return new SocketError('socket.gaierror', '[Errno -2] Name or service not known', facts)
  const [python, message] = classes[code ?? (kind === 'reset' ? 'ECONNRESET' : '')] ?? [
    'builtins.OSError',
    error.message,
  ]
  return new SocketError(python, message, facts)
}
