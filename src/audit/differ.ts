/**
 * Compares the two sides operation by operation, in the order of the trace: the same, different for named reasons, or
 * unexplained. A difference is explained by what the compat client announced for this very operation, by a gap between
 * the two libraries' signatures, or by what an earlier explained difference left behind on the same keys or servers.
 */
import type { TypedJson } from '../values/index.js'
import type { Announced } from './divergence.js'
import type { Gap } from './intention.js'
import { type Impact, impactOf, type Outcome, sameOutcome } from './outcome.js'
import { type Cause, joinCauses, Taint } from './taint.js'

/** One operation of the trace as both sides did it. */
export interface Operation {
  readonly line: number
  readonly t: number
  readonly client: string
  /** Python's method name. */
  readonly call: string
  readonly args: readonly TypedJson[]
  readonly kwargs: Readonly<Record<string, TypedJson>>
  readonly at?: string
  /** Keys on the wire, prefix included; empty when the operation has none (flush_all) or none is legal. */
  readonly keys: readonly string[]
  /** Servers of those keys by strict's placement; all servers when the operation has no keys. */
  readonly servers: readonly number[]
  readonly recorded?: Outcome
  readonly compat: Outcome
  readonly strict: Outcome
  /** What the compat client announced while it ran. */
  readonly announced: readonly Announced[]
  readonly gaps: readonly Gap[]
}

/** Why two outcomes differ: the switch, or what else accounts for it. */
export interface Explanation {
  readonly switch: string
  /**
   * - `announced`: the compat client said so, for this operation
   * - `inherited`: an earlier difference on the same key or server, see `lines`
   * - `signature`: method or argument exists only in one library
   */
  readonly how: 'announced' | 'inherited' | 'signature'
  /** Lines of the trace that led here, first cause first. */
  readonly lines: readonly number[]
}

/** How the two outcomes of one operation compare. */
export type Status =
  | 'same'
  /** The outcome is the same; what is stored, or where, is not. */
  | 'announced'
  | 'differs'
  | 'unexplained'

export interface Verdict {
  readonly status: Status
  readonly impact: Impact
  readonly explanations: readonly Explanation[]
}

/** Operations after which a key's item is what the call says, whatever it was before. */
const overwriting = new Set([
  'set',
  'set_multi',
  'delete',
  'delete_multi',
  '_deletetouch',
  'cas',
  'replace',
  'add',
  'add_multi',
])
const reading = new Set(['get', 'gets', 'get_multi', 'get_stats', 'get_slabs', 'get_slab_stats', 'check_key'])
/** Switches that only reword an answer: neither items nor servers are different afterwards. */
const rewording = new Set([
  'return-values',
  'missing-counter',
  'missing-delete',
  'undecodable-pickle',
  'counter-errors',
  'counter-arguments',
  'statistics',
])
/** What these do to an outcome depends on servers that the two sides know differently: no description can foretell it. */
const stateful = new Set(['failover', 'hashing'])
/** pylibmc's classes that tell of the data and not of the server. */
const dataErrors = new Set([
  'pylibmc.NotFound',
  'pylibmc.TooBig',
  'pylibmc.BadKeyProvided',
  'pylibmc.ClientError',
  'pylibmc.DataExists',
])

export class Differ {
  private readonly taint = new Taint()

  /** A fault of the trace was applied to both sides. */
  fault(server: number, line: number): void {
    this.taint.markFault(server, line)
  }

  /** Judges one operation and remembers what it leaves behind. Call it once per operation, in order. */
  judge(operation: Operation): Verdict {
    const same = sameOutcome(operation.compat, operation.strict)
    const impact = impactOf(operation.compat, operation.strict)
    const explanations = this.explain(operation, same)
    const status = same
      ? explanations.length > 0
        ? 'announced'
        : 'same'
      : explanations.length > 0
        ? 'differs'
        : 'unexplained'
    this.remember(operation, status, explanations)
    return { status, impact, explanations }
  }

  private explain(operation: Operation, same: boolean): readonly Explanation[] {
    const { line, announced, gaps } = operation
    const spoken = announced.filter(
      (event) => same || stateful.has(event.switch) || fits(event.strict, operation.strict),
    )
    const found = new Map<string, Explanation>()
    for (const event of spoken) {
      found.set(event.switch, { switch: event.switch, how: 'announced', lines: [line] })
    }
    if (same) return [...found.values()]
    for (const gap of gaps) {
      const name = `missing-${gap.kind}`
      found.set(name, { switch: name, how: 'signature', lines: [line] })
    }
    // Only what this operation itself cannot account for is blamed on the past.
    if (found.size === 0) {
      const cause = this.inherited(operation)
      for (const name of cause?.switches ?? []) {
        found.set(name, { switch: name, how: 'inherited', lines: cause?.lines ?? [] })
      }
    }
    return [...found.values()]
  }

  private inherited(operation: Operation): Cause | undefined {
    const causes = operation.keys.flatMap((key) => this.taint.key(key) ?? [])
    if (serverTrouble(operation)) {
      causes.push(...operation.servers.flatMap((server) => this.taint.server(operation.client, server) ?? []))
    }
    return causes.length > 0 ? joinCauses(causes) : undefined
  }

  private remember(operation: Operation, status: Status, explanations: readonly Explanation[]): void {
    const { call, client, keys, servers, line } = operation
    const effective = explanations.filter((explanation) => !rewording.has(explanation.switch))
    const cause = joinCauses(
      effective.map((explanation) => ({ switches: [explanation.switch], lines: explanation.lines })),
      line,
    )
    const trouble = serverTrouble(operation)
    for (const server of servers) {
      if (trouble && effective.length > 0) this.taint.markServer(client, server, cause)
      else if (status === 'same' && !trouble) this.taint.clearServer(client, server, line)
    }
    if (reading.has(call)) return
    if (call === 'flush_all') {
      if (effective.length > 0) this.taint.markAll(cause)
      else if (!('raises' in operation.compat) && !('raises' in operation.strict)) this.taint.clearAll()
      return
    }
    for (const key of keys) {
      if (effective.length > 0) this.taint.markKey(key, cause)
      else if (overwriting.has(call) && status !== 'unexplained' && bothDid(operation))
        this.taint.clearKey(key)
    }
  }
}

/** One side met a server that did not answer as it should. */
function serverTrouble({ strict, compat, announced }: Operation): boolean {
  return (
    ('raises' in strict &&
      strict.raises.class.startsWith('pylibmc.') &&
      !dataErrors.has(strict.raises.class)) ||
    ('raises' in compat &&
      compat.raises.class.startsWith('pylibmc.') &&
      !dataErrors.has(compat.raises.class)) ||
    announced.some((event) => event.switch === 'failover' || event.switch === 'errors')
  )
}

/** Neither side refused: an add on an existing key changes nothing and clears nothing. */
function bothDid({ call, compat, strict }: Operation): boolean {
  if ('raises' in compat || 'raises' in strict) return false
  if (call.endsWith('_multi')) return isEmptyList(compat.result) === isEmptyList(strict.result)
  return call === 'delete' || call === '_deletetouch' || (compat.result === true && strict.result === true)
}

function isEmptyList(value: TypedJson): boolean {
  return Array.isArray(value) && value.length === 0
}

/**
 * Whether an announced description of strict's outcome can be about this outcome: `raises X …` fits only an exception of
 * that class, a value printed as in Python only this result, anything else any result. Which of the errors of an unreachable server it is depends on the moment
 * (ConnectionError first, ServerDown while waiting), so these fit each other.
 */
export function fits(description: string, strict: Outcome): boolean {
  const [, name] = /^raises ([\w.]+)/.exec(description) ?? []
  if (name === undefined) {
    if ('raises' in strict) return false
    return !plain.has(description) || description === plainResult(strict.result)
  }
  if (!('raises' in strict)) return false
  const [told, found] = [pythonName(name), last(strict.raises.class)]
  return told === found || (unreachable.has(told) && unreachable.has(found))
}

/** Descriptions that are the result itself, as Python prints it. */
const plain = new Set(['True', 'False', 'None', '0', '1'])

function plainResult(value: TypedJson): string | undefined {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return typeof value === 'number' ? String(value) : undefined
}

const unreachable = new Set([
  'ConnectionError',
  'ServerDown',
  'ServerDead',
  'HostLookupError',
  'WriteError',
  'SomeErrors',
  'Failure',
  'Error',
])

/** Our names of classes that Python calls differently. */
function pythonName(name: string): string {
  const short = last(name)
  return short === 'MemcachedError' ? 'Error' : short === 'RangeError' ? 'ValueError' : short
}

function last(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}
