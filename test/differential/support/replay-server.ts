/**
 * A server that answers with the bytes a real memcached once sent, and checks that the client sends the bytes the real
 * library once sent. It plays the scenario's faults itself, since the recorded replies already contain their effect.
 */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Step, WireEntry } from '../../../src/parity/scenario.js'
import { PortHold } from '../../../src/server/port-hold.js'

interface ActiveFault {
  readonly kind: 'close' | 'reset' | 'stall' | 'truncate' | 'other'
  readonly ending?: string | undefined
  count: number
}

export class ReplayServer {
  /** First difference between what the client sent and what the library had sent. */
  difference: string | undefined
  port = 0
  private readonly expected: WireEntry[]
  private readonly sockets = new Set<Socket>()
  private listener: Server | undefined
  /** While the server is down. */
  private hold: PortHold | undefined
  private faults: ActiveFault[] = []

  /** @param quits a `quit` was asked for; otherwise it depends on when an object is collected */
  constructor(entries: readonly WireEntry[], quits: boolean) {
    this.expected = entries.filter((entry) => quits || !isQuit(entry.sent))
  }

  async start(): Promise<void> {
    const listener = createServer((socket) => this.accept(socket))
    listener.listen(this.port, '127.0.0.1')
    await once(listener, 'listening')
    this.hold?.release()
    this.hold = undefined
    this.port = (listener.address() as AddressInfo).port
    this.listener = listener
  }

  async stop(): Promise<void> {
    this.hold?.release()
    const { listener } = this
    this.listener = undefined
    if (!listener) return
    const closed = once(listener, 'close')
    listener.close()
    this.cut()
    await closed
  }

  private async down(): Promise<void> {
    if (!this.listener) return
    const hold = await PortHold.prepare('127.0.0.1')
    const stopped = this.stop()
    await hold.take(this.port)
    this.hold = hold
    await stopped
  }

  /** Waits a moment for what nobody waited for (noreply commands). */
  async settled(): Promise<void> {
    for (let waited = 0; waited < 200 && this.expected.length > 0 && !this.difference; waited++)
      await sleep(10)
  }

  /** What the library had sent and the client did not. */
  get unsent(): string | undefined {
    const next = this.expected[0]
    return next && `step ${next.step}: not sent: ${JSON.stringify(next.sent.slice(0, 120))}`
  }

  async fault(step: Step): Promise<void> {
    switch (step.fault) {
      case 'down':
        await this.down()
        break
      case 'up':
        this.faults = []
        if (!this.listener) await this.start()
        break
      case 'cut':
        this.cut(step.then as string | undefined)
        break
      default: {
        const known = ['close', 'reset', 'stall', 'truncate'] as const
        const kind = known.find((name) => name === step.fault) ?? 'other'
        this.faults.push({ kind, ending: step.then as string | undefined, count: Number(step.count ?? 1) })
      }
    }
    // The client's socket hears of it first, as it did when this was recorded: in the next turns of the event loop, however long they take.
    await sleep(20)
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  private cut(ending = 'close'): void {
    for (const socket of this.sockets) {
      if (ending === 'reset') socket.resetAndDestroy()
      else socket.destroy()
    }
    this.sockets.clear()
  }

  private accept(socket: Socket): void {
    let pending = ''
    this.sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.sockets.delete(socket))
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1')
      for (;;) {
        if (isQuit(pending) && !isQuit(this.expected[0]?.sent ?? ''))
          pending = pending.slice(pending.startsWith('quit') ? 6 : 24)
        const entry = this.expected[0]
        if (pending === '') return
        if (entry && pending.startsWith(entry.sent)) {
          pending = pending.slice(entry.sent.length)
          this.expected.shift()
          if (this.answer(socket, entry)) pending = ''
        } else if (entry?.sent.startsWith(pending)) {
          return
        } else {
          this.difference ??= entry
            ? `step ${entry.step}: sent ${show(pending)} where the library had sent ${show(entry.sent)}`
            : `sent ${show(pending)} where the library had sent nothing more`
          socket.destroy()
          return
        }
      }
    })
  }

  /** Returns true when the connection ends with it: what the client had sent ahead is lost. */
  private answer(socket: Socket, entry: WireEntry): boolean {
    const fault = this.faults[0]
    if (fault && fault.count > 0 && --fault.count === 0) this.faults.shift()
    if (entry.received !== null) socket.write(Buffer.from(entry.received, 'latin1'))
    const ending = fault?.kind === 'truncate' ? (fault.ending ?? 'close') : fault?.kind
    if (ending === 'close') socket.end()
    else if (ending === 'reset') socket.resetAndDestroy()
    return ending === 'close' || ending === 'reset'
  }
}

const isQuit = (bytes: string): boolean => bytes.startsWith('quit\r\n') || bytes.startsWith('\x80\x07')

function show(bytes: string): string {
  return JSON.stringify(bytes.length > 120 ? `${bytes.slice(0, 120)}…` : bytes)
}
