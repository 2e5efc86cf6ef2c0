/**
 * Compares the two sides operation by operation, in the order of the trace: the same, different for named reasons, or
 * unexplained. A difference is explained by an announcement of the compat client for this operation, by a difference of
 * the two libraries' signatures, or by the effect of an earlier explained difference on the same keys or servers.
 */
import type { TypedJson } from '../../values/index.js'
import type { Gap } from '../methods/intention.js'
import { type Announced, infoOf, type Reason } from './divergence.js'
import { type Impact, impactOf, momentary, type Outcome, sameOutcome } from './outcome.js'
import { type Cause, joinCauses, Taint } from './taint.js'

/** One operation of the trace with the outcomes of both sides. */
export interface AuditedOperation {
  readonly line: number
  readonly t: number
  readonly client: string
  /** Python's method name. */
  readonly call: string
  readonly args: readonly TypedJson[]
  readonly kwargs: Readonly<Record<string, TypedJson>>
  readonly at?: string | undefined
  /** Functions of frameworks between the library and that place, innermost first: `module:function`. */
  readonly via?: readonly string[]
  /** Keys on the wire, prefix included; empty when the operation has none (flush_all) or none is legal. */
  readonly keys: readonly string[]
  /** Servers of those keys by strict's placement; all servers when the operation has no keys. */
  readonly servers: readonly number[]
  readonly recorded?: Outcome | undefined
  readonly compat: Outcome
  readonly strict: Outcome
  /** The announcements of the compat client during the operation. */
  readonly announced: readonly Announced[]
  readonly gaps: readonly Gap[]
  /** The audit's own reasons for a difference. */
  readonly reasons: readonly Reason[]
  /** python-memcached's server of the only key. */
  readonly sourceServer?: number | undefined
  /** A key is on another server under pylibmc's placement than under python-memcached's. */
  readonly moved?: boolean
  /** The call has a negative time, which pylibmc's documentation and version 1.6.3 treat differently. */
  readonly negativeTime?: boolean
  /** The outcome on pylibmc is not known, because the connection is out of step. */
  readonly uncertain?: boolean
  /** The call was refused as it is. This is its outcome in the target's form, in which a framework's backend makes it. */
  readonly repaired?: Outcome | undefined
  /** A framework's `get` found None, which the framework tells from a miss on the target only. */
  readonly foundNone?: boolean | undefined
}

/** The reason why two outcomes differ: a switch, or another reason. */
export interface Explanation {
  readonly switch: string
  /**
   * - `announced`: the compat client announced it for this operation
   * - `inherited`: an earlier difference on the same key or server, see `lines`
   * - `signature`: method or argument exists only in one library
   */
  readonly how: 'announced' | 'inherited' | 'signature'
  /** The effect of this cause on the operation; `state` for a cause that only moves or stores an item differently. */
  readonly impact: Impact
  /** Lines of the trace that led here, first cause first. */
  readonly lines: readonly number[]
}

/** The result of comparing the two outcomes of one operation. */
export type Status =
  | 'same'
  /** The outcome is the same, but another value is stored, or on another server. */
  | 'announced'
  | 'differs'
  | 'unexplained'

/** The result of comparing one operation, with the reasons. */
export interface Verdict {
  readonly status: Status
  readonly impact: Impact
  readonly explanations: readonly Explanation[]
}

/** Operations after which a key's item depends only on the call, and not on the item before. */
const overwriting = new Set([
  'set',
  'set_multi',
  'set_many',
  '__setitem__',
  'delete',
  'delete_multi',
  'delete_many',
  '__delitem__',
  '_deletetouch',
  'cas',
  'replace',
  'add',
  'add_multi',
])
const reading = new Set([
  'get',
  'gets',
  'get_multi',
  'get_many',
  'gets_many',
  '__getitem__',
  'get_stats',
  'get_slabs',
  'get_slab_stats',
  'stats',
  'version',
  'check_key',
])
/** pylibmc's classes for errors of the data and not of the server. */
const dataErrors = new Set([
  'pylibmc.NotFound',
  'pylibmc.TooBig',
  'pylibmc.BadKeyProvided',
  'pylibmc.ClientError',
  'pylibmc.DataExists',
])

export interface DifferSettings {
  /** pylibmc's side expires items with negative times at once, as python-memcached does. */
  readonly negativeTimesAlike: boolean
  /**
   * Between two versions of python-memcached: the switches that govern a row in which they differ. Announcements of
   * other switches are the same on both sides, and concern pylibmc only.
   */
  readonly between?: ReadonlySet<string> | undefined
}

export class Differ {
  private readonly taint = new Taint()

  constructor(private readonly settings: DifferSettings = { negativeTimesAlike: false }) {}

  /** A fault of the trace was applied to both sides. */
  fault(server: number, line: number): void {
    this.taint.markFault(server, line)
  }

  /** Compares one operation and keeps its effects on later ones. Call it once per operation, in order. */
  judge(operation: AuditedOperation): Verdict {
    const same = sameOutcome(operation.compat, operation.strict) || this.sameStatistics(operation)
    const impact = impactOf(operation.compat, operation.strict, same)
    const explanations = this.explain(operation, same, impact)
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

  /** Two versions of one library ask each side's own servers, whose counters, clocks and items are not the same: the servers are compared. */
  private sameStatistics({ call, compat, strict }: AuditedOperation): boolean {
    if (this.settings.between === undefined || !momentary.has(call)) return false
    // pymemcache's names no server.
    if (call === 'stats' || call === 'version') return 'result' in compat && 'result' in strict
    return 'result' in compat && 'result' in strict && serversOf(compat.result) === serversOf(strict.result)
  }

  /**
   * Causes in the order of their reliability: announced for this operation or seen in the signatures, the effect of an earlier
   * difference, then fallbacks. Another server for the key explains an outcome only if there is no other cause.
   */
  private explain(operation: AuditedOperation, same: boolean, impact: Impact): readonly Explanation[] {
    const { line, gaps, reasons } = operation
    const { between } = this.settings
    const found = new Map<string, Explanation>()
    const add = (name: string, how: Explanation['how'], lines: readonly number[] = [line], own = impact) => {
      if (!found.has(name)) found.set(name, { switch: name, how, lines, impact: own })
    }
    for (const event of this.relevant(operation)) {
      if (same || between || infoOf(event.switch)?.unforeseeable || fits(event, operation.strict))
        add(event.switch, 'announced')
    }
    for (const reason of reasons) {
      if (reason.fallback || (same && infoOf(reason.switch)?.leaves !== 'items' && !operation.uncertain))
        continue
      if (!same && (reason.stored || infoOf(reason.switch)?.onlyInProgram)) continue
      add(reason.switch, reason.how)
    }
    if (!same) for (const gap of gaps) add(`missing-${gap.kind}`, 'signature')
    if (!same && found.size === 0) {
      const cause = this.inherited(operation)
      for (const name of cause?.switches ?? []) add(name, 'inherited', cause?.lines ?? [])
    }
    if (!same && found.size === 0)
      for (const reason of reasons) if (reason.fallback) add(reason.switch, reason.how)
    if (!same && found.size === 0 && !between) {
      if (isKeyError(operation)) add('keys', 'announced')
      else if (operation.call === 'get_stats') add('statistics', 'announced')
      else if (isArgumentError(operation)) add('argument-type', 'signature')
    }
    if (!same && found.size === 0 && between && isKeyErrorOfOne(operation)) add('keys', 'announced')
    for (const { switch: name, how, stored } of reasons)
      if (!same && (stored || infoOf(name)?.onlyInProgram)) add(name, how, [line], 'state')
    if (operation.moved) add('hashing', 'announced', [line], found.size > 0 || same ? 'state' : impact)
    return [...found.values()]
  }

  /** Placement is compared, not announced; negative times are the same on both sides when pylibmc sends them as text. */
  private relevant({ announced, negativeTime }: AuditedOperation): readonly Announced[] {
    const { between } = this.settings
    return announced.filter(
      (event) =>
        event.switch !== 'hashing' &&
        (between === undefined || between.has(event.switch)) &&
        !(event.switch === 'negative-timeout' && negativeTime && this.settings.negativeTimesAlike),
    )
  }

  private inherited(operation: AuditedOperation): Cause | undefined {
    const causes = operation.keys.flatMap((key) => this.taint.key(key) ?? [])
    if (serverTrouble(operation)) {
      causes.push(...operation.servers.flatMap((server) => this.taint.server(operation.client, server) ?? []))
    }
    return causes.length > 0 ? joinCauses(causes) : undefined
  }

  private remember(operation: AuditedOperation, status: Status, explanations: readonly Explanation[]): void {
    const { call, client, keys, servers, line } = operation
    const refusedOnce = isRefusal(operation.compat) !== isRefusal(operation.strict)
    const lasting = operation.repaired !== undefined ? [] : explanations
    const effective = lasting.filter(
      ({ switch: name, impact }) =>
        (infoOf(name)?.leaves !== 'nothing' || refusedOnce) && !(name === 'hashing' && impact === 'state'),
    )
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

/** One side got an unexpected answer, or none, from a server. */
function serverTrouble({ strict, compat, announced }: AuditedOperation): boolean {
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
function bothDid({ call, compat, strict }: AuditedOperation): boolean {
  if ('raises' in compat || 'raises' in strict) return false
  if (/_(multi|many)$/.test(call)) return isEmptyList(compat.result) === isEmptyList(strict.result)
  return call === 'delete' || call === '_deletetouch' || (compat.result === true && strict.result === true)
}

/** python-memcached refuses the key by its own check. */
function isKeyError({ compat }: AuditedOperation): boolean {
  return 'raises' in compat && compat.raises.class.startsWith('memcache.MemcachedKey')
}

/** One version refuses the key by its own check, as check_key does with text on Python 3. */
function isKeyErrorOfOne({ compat, strict }: AuditedOperation): boolean {
  const refused = (outcome: Outcome) =>
    'raises' in outcome && outcome.raises.class.startsWith('memcache.MemcachedKey')
  return refused(compat) !== refused(strict)
}

/** One side refuses an argument with a built-in error of Python. */
function isArgumentError({ compat, strict }: AuditedOperation): boolean {
  return isRefusal(compat) || isRefusal(strict)
}

/** A built-in error of Python, so that nothing was sent. */
function isRefusal(outcome: Outcome): boolean {
  return 'raises' in outcome && outcome.raises.class.startsWith('builtins.')
}

function isEmptyList(value: TypedJson): boolean {
  return Array.isArray(value) && value.length === 0
}

/**
 * Whether an announced outcome of strict can be this outcome: an exception fits only one of its class, a value printed as
 * in Python only this result, another text any result. The error of an unreachable server depends on timing
 * (ConnectionError first, ServerDown while waiting), so these fit each other.
 */
export function fits(
  { strict: said, raises }: Pick<Announced, 'strict' | 'raises'>,
  strict: Outcome,
): boolean {
  if (raises === undefined)
    return !('raises' in strict) && (!plain.has(said) || said === plainResult(strict.result))
  if (!('raises' in strict)) return false
  const [announced, found] = [pythonName(raises), last(strict.raises.class)]
  return announced === found || (unreachable.has(announced) && unreachable.has(found))
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

/** Python's names of classes that have another name here. */
function pythonName(name: string): string {
  const short = last(name)
  return short === 'MemcachedError' ? 'Error' : short === 'RangeError' ? 'ValueError' : short
}

function last(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

/** Names of the servers that sent statistics: a list of pairs. */
function serversOf(value: TypedJson): string {
  return JSON.stringify(
    Array.isArray(value) ? value.map((pair) => Object.values(Object(pair)).flat()[0]) : value,
  )
}
