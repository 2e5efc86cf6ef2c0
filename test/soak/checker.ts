/**
 * What may be read of one key that one task alone writes, one operation after another. A write whose answer was lost may be done at
 * any later time (the server may have it in its socket), as long as the server lives; everything else is certain.
 */
import type { SoakServer } from './fleet.js'

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

const missing = 0

/** What may make the reads of a client stale. */
export interface Disturbance {
  /** Grows with every fault, every server that the client takes for dead, and every write that missed one placement. */
  readonly count: number
  /** None lasts, nor has one for a while. */
  readonly calm: boolean
}

/** Milliseconds around a fault in which an unintelligible reply may be read as a miss (docs/faults.md, "A line that is no reply"). */
const misread = 1500

/** Milliseconds that a write may wait to be sent: far more than its deadline, on a busy machine. */
const waiting = 5000

export class KeyModel {
  /** The last number written; 0 stands for a missing item. */
  private last = 0
  /** What is there by the last acknowledged operation. */
  private certain = missing
  /** Operations without an answer, since the server's last death. */
  private uncertain = new Set<number>()
  /** What could be read before the server's last death: an answer of its last moment may be looked at later. */
  private earlier = new Set<number>()
  /** When writes began, in milliseconds of `performance.now()`. */
  private readonly begun = new Map<number, number>()
  private lives = 0
  private readonly history: string[] = []
  private disturbances = -1

  constructor(
    readonly key: string,
    /** The server that holds it, or several when it may be elsewhere. */
    private readonly servers: readonly SoakServer[],
    /** Of a client whose reads may be stale after a fault, by its documented rule: only what was undisturbed is certain. */
    private readonly disturbance: Disturbance | undefined,
  ) {}

  /** The number of the next write. */
  begin(): number {
    this.notice()
    this.remember(`begin ${this.last + 1}`)
    this.begun.set(++this.last, performance.now())
    return this.last
  }

  acknowledged(number: number): void {
    this.remember(`done ${number}`)
    const died = this.notice()
    this.certain = number
    // The answer of a server that died meanwhile may have been on its way.
    if (died) this.uncertain.add(missing)
    if (this.disturbance) this.disturbances = this.disturbance.calm ? this.disturbance.count : -1
  }

  unanswered(number: number): void {
    this.remember(`no answer ${number}`)
    this.uncertain.add(number)
  }

  deleted(): void {
    this.acknowledged(missing)
  }

  /** @throws Error when this cannot be */
  read(value: unknown): void {
    this.remember(`read ${typeof value === 'string' ? value.slice(0, 30).split(' ')[1] : 'nothing'}`)
    const absent = value === undefined || value === null
    const reading = absent ? { key: this.key, number: missing } : readingOf(value)
    if (reading.key !== this.key) throw new Error(`read for ${this.key}: the value of ${reading.key}`)
    if (reading.number > this.last) throw new Error(`${this.key}: number ${reading.number} was never written`)
    if (this.disturbance && this.disturbances !== this.disturbance.count) return
    const dead = this.notice()
    if (reading.number === this.certain || this.uncertain.has(reading.number)) return
    if (this.earlier.has(reading.number) && performance.now() - this.died < waiting) return
    if (absent && (dead || this.servers.some((server) => performance.now() - server.calmSince < misread)))
      return
    const told = absent
      ? `${this.key}: write ${this.certain} was acknowledged and is lost, and its server lived`
      : `${this.key}: read ${reading.number}, expected ${this.certain}${this.uncertain.size > 0 ? ` or one of ${[...this.uncertain].join(', ')}` : ''}`
    throw new Error(
      `${told}. History: ${this.history.join('; ')}. Servers: ${this.servers.map((server) => server.history.join('; ')).join(' | ')}`,
    )
  }

  private remember(event: string): void {
    this.history.push(`${Math.round(performance.now())} ${event}`)
    if (this.history.length > 14) this.history.shift()
  }

  private get dying(): boolean {
    return this.servers.some((server) => server.lives % 2 === 1)
  }

  private get died(): number {
    return Math.max(...this.servers.map((server) => server.died))
  }

  /** Whether the items have been lost since the last look; then a missing item is certain. */
  private notice(): boolean {
    const lives = this.servers.reduce((sum, server) => sum + server.lives, 0)
    if (lives === this.lives) return false
    this.lives = lives
    // What had no answer died with the server. The last acknowledged operation may have come before or after its death.
    // While it is dying it may still answer.
    const { died } = this
    this.earlier = new Set([...this.uncertain, this.certain])
    // A write that waited for its connection may reach the server's next life.
    const left = [...this.uncertain].filter(
      (number) => this.dying || (this.begun.get(number) ?? 0) > died - waiting,
    )
    this.uncertain = new Set([...left, this.certain, missing])
    for (const number of this.begun.keys())
      if (!this.uncertain.has(number) && number < this.last) this.begun.delete(number)
    return true
  }
}
