/** Runs one sequence on the real library and on our client, step by step side by side, and compares everything that can be seen. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Outcome, raised } from '../../src/audit/compare/outcome.js'
import { type AuditedClient, invoke } from '../../src/audit/methods/calls.js'
import { fromTypedJson, type TypedJson } from '../../src/values/index.js'
import { type Answer, type InstalledLibrary, PythonLibrary } from '../support/python-library.js'
import { contentsDifference, outcomeDifference, requestsDifference } from './compare.js'
import type { CallStep, Sequence, SequenceStep } from './sequence.js'
import type { TwinServers } from './twin-servers.js'

/** A client of ours that makes Python's calls. */
export interface OwnClient {
  /** Never throws. */
  call(step: CallStep): Promise<Outcome>
  close(): void
}

/** A real library in its process, and how our client for it is made. */
export interface Pair {
  readonly installed: InstalledLibrary
  /** Another process after a crash. */
  python: PythonLibrary
  /** Unix time in seconds at which the library's clock stands still, where a driver sets it. Default: both clocks go. */
  readonly clock?: number
  /** Waits on every connection for what was sent on it before. The requests are compared then, with their connections, and not what is stored. */
  readonly settle?: CallStep
  /** @throws what our constructor throws for these keywords */
  construct(
    servers: readonly (string | readonly [string, number])[],
    kwargs: Readonly<Record<string, TypedJson>>,
    now: () => number,
  ): OwnClient
  /** Does the library get out of step after this answer, where our client does not (docs/compat.md)? The sequence then ends. */
  outOfStep?(step: CallStep, answer: Answer): boolean
}

/** A client of the audit. */
export function ownClient(client: AuditedClient, { library, version }: InstalledLibrary): OwnClient {
  return {
    call({ call, args, kwargs = {} }) {
      const named = Object.entries(kwargs).map(([word, value]) => [word, fromTypedJson(value)])
      const words = { call, args: args.map(fromTypedJson), kwargs: Object.fromEntries(named) }
      return invoke(client, { name: library, version }, words)
    },
    close: () => client.disconnectAll(),
  }
}

/** Keywords of a constructor as Python values. */
export function decoded(kwargs: Readonly<Record<string, TypedJson>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(kwargs).map(([word, value]) => [word, fromTypedJson(value)]))
}

/** The real library took its process along, so that there is nothing to compare any more. */
export class LibraryCrash extends Error {
  override readonly name = 'LibraryCrash'
}

/** How long a command that nobody waits for may need to arrive on a busy machine (milliseconds). */
const timeToArrive = 3000

/**
 * The first difference in one line; undefined when the two agree in every outcome and in what the servers hold afterwards.
 * @throws LibraryCrash; the pair then has a new process
 */
export async function runSequence(
  pair: Pair,
  twins: TwinServers,
  sequence: Sequence,
): Promise<string | undefined> {
  await twins.reset()
  const run = new Run(pair, twins, sequence)
  try {
    return (await run.steps()) ?? (await run.contents())
  } catch (error) {
    if (pair.python.running) throw error
    pair.python = new PythonLibrary(pair.installed)
    await pair.python.ready()
    run.forget()
    throw new LibraryCrash(JSON.stringify(sequence), { cause: error })
  } finally {
    await run.close()
  }
}

class Run {
  private readonly clients = new Map<string, OwnClient | undefined>()
  private readonly tokens = new Tokens()
  private offset = 0
  private ended = false
  /** Of all calls, in milliseconds. */
  private longest = 0

  constructor(
    private readonly pair: Pair,
    private readonly twins: TwinServers,
    private readonly sequence: Sequence,
  ) {}

  async steps(): Promise<string | undefined> {
    for (const [index, step] of this.sequence.steps.entries()) {
      if (this.ended) break
      const difference = await this.step(step)
      if (difference !== undefined) return `step ${index}, ${JSON.stringify(step)}: ${difference}`
    }
    return undefined
  }

  /**
   * What the servers hold, or were asked: where a pair can wait for it, the requests of both sides and their connections.
   * Commands that nobody waited for may still be on their way, and the crawler passes over an item that is in use: only a difference
   * that stays is one.
   */
  async contents(): Promise<string | undefined> {
    const { servers, steps } = this.sequence
    if (this.pair.settle) {
      await this.settled(this.pair.settle)
      return requestsDifference(this.twins.theirs(servers).heard(), this.twins.ours(servers).heard())
    }
    const patience = steps.some(isUnanswered) ? timeToArrive : 200
    for (let waited = 0; ; waited += 20) {
      const [theirs, ours] = await Promise.all([
        this.twins.theirs(servers).contents(),
        this.twins.ours(servers).contents(),
      ])
      const difference = contentsDifference(theirs, ours, this.longest / 1000)
      if (difference === undefined || waited >= patience) return difference
      await sleep(20)
    }
  }

  private async settled(settle: CallStep): Promise<void> {
    for (const [name, client] of this.clients)
      if (client) await Promise.all([this.pair.python.ask({ client: name, ...settle }), client.call(settle)])
  }

  /** The library's side is gone. */
  forget(): void {
    for (const client of this.clients.values()) client?.close()
    this.clients.clear()
    this.offset = 0
  }

  async close(): Promise<void> {
    for (const [name, client] of this.clients) {
      if (!client) continue
      client.close()
      await this.pair.python.ask({ forget: name })
    }
    // The library's process goes on into the next sequence, which starts at the present.
    if (this.offset !== 0) await this.pair.python.ask({ advance: -this.offset })
  }

  private async step(step: SequenceStep): Promise<string | undefined> {
    if ('fault' in step) await this.twins.fault(step)
    else if ('raw' in step) await this.twins.raw(step)
    else if ('advance' in step) {
      this.offset += step.advance
      await this.pair.python.ask(step)
    } else return this.call(step)
    return undefined
  }

  private async call(step: CallStep): Promise<string | undefined> {
    const { python } = this.pair
    const name = step.client ?? 'a'
    if (!this.clients.has(name)) {
      const difference = await this.create(name)
      if (difference !== undefined) return difference
    }
    const client = this.clients.get(name)
    // Both refused the keywords.
    if (!client) return undefined
    const { call, args, kwargs = {}, mask } = step
    const started = performance.now()
    const [theirs, ours] = await Promise.all([
      python.ask({ client: name, call, args: this.tokens.filled(args, 'theirs'), kwargs, mask }),
      client.call({ ...step, args: this.tokens.filled(args, 'ours') }),
    ])
    this.longest = Math.max(this.longest, performance.now() - started)
    this.ended = this.pair.outOfStep?.(step, theirs as Answer) ?? false
    const numbers = this.pair.installed.library === 'pylibmc' && call === 'gets'
    return outcomeDifference(
      this.tokens.taken(theirs, 'theirs', numbers),
      this.tokens.taken(ours, 'ours', numbers),
    )
  }

  private async create(name: string): Promise<string | undefined> {
    const { sequence, twins, pair } = this
    const { kwargs, weights } = sequence
    const theirs = twins.theirs(sequence.servers).addresses
    const ours = twins.ours(sequence.servers).addresses
    const servers =
      weights && pair.installed.library === 'python-memcached'
        ? theirs.map((address, index) => ({ $tuple: [address, weights[index]!] }))
        : theirs.map((address, index) => (weights ? `${address}:${weights[index]}` : address))
    const answer = await pair.python.ask({ new: name, servers, kwargs })
    const outcome = this.construct(
      name,
      ours.map((address, index) => (weights ? ([address, weights[index]!] as const) : address)),
    )
    return outcomeDifference(answer as Answer, outcome)
  }

  private construct(name: string, servers: readonly (string | readonly [string, number])[]): Outcome {
    const now = (): number => (this.pair.clock ?? Date.now() / 1000) + this.offset
    try {
      this.clients.set(name, this.pair.construct(servers, this.sequence.kwargs, now))
      return { result: null }
    } catch (error) {
      this.clients.set(name, undefined)
      return raised(error)
    }
  }
}

function isUnanswered(step: SequenceStep): boolean {
  return 'call' in step && Boolean((step as CallStep).kwargs?.noreply)
}

/** CAS uniques, which each server numbers for itself. `$cas` in a call stands for the last one that its side saw. */
class Tokens {
  private readonly last: Record<'theirs' | 'ours', TypedJson> = { theirs: null, ours: null }

  filled(args: readonly TypedJson[], side: 'theirs' | 'ours'): readonly TypedJson[] {
    return args.map((given) => (given === '$cas' ? this.last[side] : given))
  }

  /**
   * The outcome without its uniques: the second of a pair that pylibmc's `gets` returns, or digits as bytes behind a value (pymemcache).
   * @param numbers the outcome is that of pylibmc's `gets`
   */
  taken<O extends Answer | Outcome>(outcome: O, side: 'theirs' | 'ours', numbers: boolean): O {
    if (!('result' in outcome)) return outcome
    if (numbers) {
      const [value, unique] = pairOf(outcome.result as TypedJson) ?? []
      if (unique == null) return outcome
      this.last[side] = unique
      return { result: { $tuple: [value, 'cas unique'] } } as unknown as O
    }
    const text = JSON.stringify(outcome.result, (_key, part: TypedJson) => {
      const [value, unique] = pairOf(part) ?? []
      if (!/^\d+$/.test((unique as { readonly $bytes?: string } | null | undefined)?.$bytes ?? ''))
        return part
      this.last[side] = unique as TypedJson
      return { $tuple: [value, 'cas unique'] }
    })
    return { result: JSON.parse(text) } as unknown as O
  }
}

function pairOf(part: TypedJson): readonly TypedJson[] | undefined {
  const items = (part as { readonly $tuple?: readonly TypedJson[] } | null)?.$tuple
  return items?.length === 2 ? items : undefined
}
