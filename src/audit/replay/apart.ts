/**
 * A side of an audit in a separate thread: the two sides do not interact before their outcomes are compared, so that a replay on two
 * processors gives exactly the same report. The thread replays the whole trace for its side only and passes on the outcome of every call, in order.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type MessagePort, Worker } from 'node:worker_threads'
import { type Replayed, Side } from './side.js'

/** The number of calls in one message, and the number of messages that may be pending. Few calls, so that messages are gone before V8 takes them for old. */
const portion = 128
const portionsUnderWay = 8

/** A message of the thread: the outcomes of calls, in order, as JSON, which is faster than objects; at the end, the reason why it ended. */
type Message = { readonly done: string } | { readonly ended: string }

/** @returns the program of the thread; undefined if memshim runs from its sources, which a thread cannot load */
export function threadProgram(): URL | undefined {
  // From dist/chunks/ and from dist/audit/ alike.
  const program = new URL('../audit/side-thread.js', import.meta.url)
  return existsSync(fileURLToPath(program)) ? program : undefined
}

/** The outcomes of a side, received from its thread. */
export class SideThread {
  private readonly worker: Worker
  private readonly portions: string[] = []
  private current: readonly Replayed[] = []
  private at = 0
  private ended: Error | undefined
  private arrived: (() => void) | undefined

  /** @param task given to the program; it must be one that `structuredClone` can copy */
  constructor(program: URL, task: unknown) {
    this.worker = new Worker(program, { workerData: task })
    this.worker.on('message', (message: Message) => {
      if ('done' in message) this.portions.push(message.done)
      else this.end(new Error(message.ended))
      this.wake()
    })
    this.worker.on('error', (error) => this.end(error as Error))
    this.worker.on('exit', () => this.end(new Error('the thread of the other side ended early')))
  }

  private end(error: Error): void {
    this.ended ??= error
    this.wake()
  }

  private wake(): void {
    this.arrived?.()
    this.arrived = undefined
  }

  /** The outcome of the next call. @throws Error if the thread ended before */
  next(): Replayed | Promise<Replayed> {
    if (this.at === this.current.length) {
      const text = this.portions.shift()
      if (text === undefined) return this.wait()
      this.current = JSON.parse(text) as readonly Replayed[]
      this.at = 0
      this.worker.postMessage('taken')
    }
    return this.current[this.at++]!
  }

  private async wait(): Promise<Replayed> {
    while (this.portions.length === 0) {
      if (this.ended) throw this.ended
      await new Promise<void>((resolve) => {
        this.arrived = resolve
      })
    }
    return this.next()
  }

  async stop(): Promise<void> {
    await this.worker.terminate()
  }
}

/** The side whose calls are made in the other thread; its clients here only place keys. */
export class ApartSide extends Side {
  thread: SideThread | undefined

  override run(): Replayed | Promise<Replayed> {
    return this.thread!.next()
  }

  override async stop(): Promise<void> {
    await this.thread?.stop()
    await super.stop()
  }
}

/** In the thread: passes on the outcome of every call, and waits while the other thread does not read them. */
export class ReportingSide extends Side {
  port: MessagePort | undefined
  private kept: Replayed[] = []
  private underWay = 0
  private taken: (() => void) | undefined

  listen(port: MessagePort): void {
    this.port = port
    port.on('message', () => {
      this.underWay--
      this.taken?.()
      this.taken = undefined
    })
  }

  override async run(...call: Parameters<Side['run']>): Promise<Replayed> {
    const done = await super.run(...call)
    this.kept.push(done)
    if (this.kept.length >= portion) {
      this.handOver()
      while (this.underWay >= portionsUnderWay)
        await new Promise<void>((resolve) => {
          this.taken = resolve
        })
    }
    return done
  }

  handOver(): void {
    const message: Message = { done: JSON.stringify(this.kept) }
    if (this.kept.length > 0) {
      this.underWay++
      this.port?.postMessage(message)
    }
    this.kept = []
  }
}
