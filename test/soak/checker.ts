/**
 * What may be read of one key that one task alone writes, one operation after another. A write whose answer was lost may be done at any
 * later time in the life of the server that it reached; everything else is certain. Nothing here depends on how long something takes: the
 * order of events in the soak's process decides, so that a slow machine makes no difference.
 */
import type { SoakServer } from './fleet.js'
import { deletion } from './wire.js'

export interface Reading {
  readonly key: string
  readonly number: number
}

/** A value that names its key and number, and whose length and content follow from them. */
export function valueOf(key: string, number: number): string {
  const length = (number * 7919) % 97 === 0 ? 60_000 : (number * 31) % 300
  return `${key} ${number} ${String.fromCharCode(97 + (number % 26)).repeat(length)}\r\nEND`
}

/** @throws Error for a value that nobody wrote */
export function readingOf(value: unknown): Reading {
  const [, key, number] = typeof value === 'string' ? (/^(\S+) (\d+) /.exec(value) ?? []) : []
  if (key === undefined || value !== valueOf(key, Number(number)))
    throw new Error(`a value that nobody wrote: ${JSON.stringify(String(value).slice(0, 100))}`)
  return { key, number: Number(number) }
}

/** The state after a deletion. */
const missing = deletion

/** What may make the reads of a client stale. */
export interface Disturbance {
  /** Grows with every fault, every server that the client takes for dead, and every write that missed one placement. */
  readonly count: number
  /** None lasts, nor has one for a while. */
  readonly calm: boolean
}

/** The facts of a server that the checker needs; times are those of `performance.now()`. */
export type Mortal = Pick<SoakServer, 'deaths' | 'died' | 'calmSince' | 'history'>

interface Operation {
  readonly number: number
  /** When a proxy passed it on to its server last. */
  passedOn: number
  /** How often a proxy passed it on. */
  times: number
}

export class KeyModel {
  /** The last number written; 0 stands for a missing item. */
  private last = 0
  /** What is there by the last acknowledged operation. */
  private certain = missing
  /** Operations without an answer, and when they were passed on to the server last. */
  private uncertain = new Map<number, number>()
  /** What could be read before the server's last death. A read that began before it may still give that. */
  private earlier: ReadonlySet<number> = new Set()
  /** The operation under way. */
  private open: Operation | undefined
  private deaths = 0
  private readonly history: string[] = []
  private disturbances = -1

  constructor(
    readonly key: string,
    /** The server that holds it, or several when it may be elsewhere. */
    private readonly servers: readonly Mortal[],
    /** Of a client whose reads may be stale after a fault, by its documented rule: only what was undisturbed is certain. */
    private readonly disturbance: Disturbance | undefined,
    /** A read may copy the value to another placement. */
    private readonly copied = false,
  ) {}

  /** The number of the next write. */
  begin(): number {
    this.beginOf(++this.last)
    return this.last
  }

  beginDeletion(): number {
    this.beginOf(deletion)
    return deletion
  }

  private beginOf(number: number): void {
    this.notice()
    this.remember(`begin ${number}`)
    this.open = { number, passedOn: Number.NEGATIVE_INFINITY, times: 0 }
  }

  /** A client sends an operation. @returns whether its call is still under way */
  sends(number: number): boolean {
    this.remember(`sent ${number}`)
    return this.copied || this.open?.number === number
  }

  /** A proxy passes an operation on to its server. */
  passedOn(number: number): void {
    this.remember(`passed on ${number}`)
    const now = performance.now()
    if (this.open?.number !== number) {
      // Its call has ended: what was in the sockets reaches the server now.
      this.notice()
      if (this.copied && number === this.certain) return
      this.uncertain.set(number, now)
      return
    }
    this.open.passedOn = now
    this.open.times++
  }

  acknowledged(): void {
    const { number, passedOn, times } = this.end('done')
    const died = this.notice()
    this.certain = number
    // The answer of a server that died meanwhile may have been on its way.
    if (died && passedOn <= this.died) this.uncertain.set(missing, performance.now())
    // An earlier deletion may have been passed on during this one, and cannot be told from it.
    if (!this.disturbance && number === deletion && times > 1) this.uncertain.set(missing, passedOn)
    if (this.disturbance) this.disturbances = this.disturbance.calm ? this.disturbance.count : -1
  }

  unanswered(): void {
    const { number, passedOn } = this.end('no answer')
    this.uncertain.set(number, Math.max(passedOn, this.uncertain.get(number) ?? passedOn))
  }

  private end(result: string): Operation {
    const { open } = this
    if (!open) throw new Error(`${this.key}: no operation is under way`)
    this.remember(`${result} ${open.number}`)
    this.open = undefined
    return open
  }

  /** @param begun when the read began @throws Error when this cannot be */
  read(value: unknown, begun: number): void {
    this.remember(`read ${typeof value === 'string' ? value.slice(0, 30).split(' ')[1] : 'nothing'}`)
    const absent = value === undefined || value === null
    const reading = absent ? { key: this.key, number: missing } : readingOf(value)
    if (reading.key !== this.key) throw new Error(`read for ${this.key}: the value of ${reading.key}`)
    if (reading.number > this.last) throw new Error(`${this.key}: number ${reading.number} was never written`)
    if (this.disturbance && this.disturbances !== this.disturbance.count) return
    this.notice()
    if (reading.number === this.certain || this.uncertain.has(reading.number)) return
    if (begun <= this.died && this.earlier.has(reading.number)) return
    // An unintelligible reply is read as a miss (docs/evidence/faults.md, "A line that is no reply").
    if (absent && this.servers.some((server) => begun <= server.calmSince)) return
    const told = absent
      ? `${this.key}: write ${this.certain} was acknowledged and is lost, and its server lived`
      : `${this.key}: read ${reading.number}, expected ${this.certain}${this.uncertain.size > 0 ? ` or one of ${[...this.uncertain.keys()].join(', ')}` : ''}`
    throw new Error(
      `${told}. The read began at ${Math.round(begun)}. History: ${this.history.join('; ')}. Servers: ${this.servers.map((server) => server.history.join('; ')).join(' | ')}`,
    )
  }

  private remember(event: string): void {
    this.history.push(`${Math.round(performance.now())} ${event}`)
    if (this.history.length > 40) this.history.shift()
  }

  private get died(): number {
    return Math.max(...this.servers.map((server) => server.died))
  }

  /** Whether the items have been lost since the last look. What was passed on after that may be there again. */
  private notice(): boolean {
    const deaths = this.servers.reduce((sum, server) => sum + server.deaths, 0)
    if (deaths === this.deaths) return false
    this.deaths = deaths
    const { died } = this
    this.earlier = new Set([...this.uncertain.keys(), this.certain])
    this.uncertain = new Map([...this.uncertain].filter(([, passedOn]) => passedOn > died))
    this.certain = missing
    return true
  }
}
