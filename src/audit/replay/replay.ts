/**
 * Replays a trace through two sides at once, one event after another, and passes on both outcomes without comparing them.
 */
import { fromTypedJson, type TypedJson } from '../../values/index.js'
import type { AuditedOperation } from '../compare/differ.js'
import { type Announced, type Reason, reasonFor } from '../compare/divergence.js'
import { type Outcome, raised, refusedByPython, returned, sameOutcome } from '../compare/outcome.js'
import { withBuiltinItems } from '../methods/builtins.js'
import {
  checkPymemcacheConstruction,
  movedPositions,
  unchangedConstruction,
} from '../methods/constructor/unchanged-constructor.js'
import type { Library } from '../methods/python-signatures.js'
import { type Bound, bind, type PythonCall } from '../methods/python-signatures.js'
import { touchedKeys } from '../methods/touched-keys.js'
import { tracedServers } from '../traces/parse.js'
import {
  type CallEvent,
  type Construction,
  type NewEvent,
  portionsOf,
  type Trace,
  type TraceEvent,
} from '../traces/trace.js'
import { callOfWire } from '../traces/wire/wire.js'
import { isNegative, likelyReasons, withWords } from './call-facts.js'
import type { Replayed, ReplaySide } from './side.js'
import type { Placed, Topology } from './topology.js'
import { UnreachableServers } from './unreachable.js'

/** The name of a constructor in reports. */
export const constructorCall = 'Client'

export interface ReplayVisitor {
  operation(operation: AuditedOperation): void
  fault(server: number, line: number): void
  /** A note about an event that could not be replayed unchanged. @param leftOut a line that was not replayed at all, or the calls of a client */
  note(text: string, line: number, leftOut?: boolean): void
  client(name: string): void
  /** A constructor call of the application. */
  constructs?(event: NewEvent): void
}

export interface ReplayPlan {
  readonly trace: Trace
  readonly source: Library
  readonly topology: Topology
  readonly compat: ReplaySide
  readonly strict: ReplaySide
  /** Called before every event: sets the virtual clock, or waits. */
  readonly timeTo: (t: number) => void | Promise<void>
  readonly signal?: AbortSignal | undefined
  /** Calls and the constructor are rewritten into pylibmc's form first. */
  readonly repaired?: boolean
  /** Whether a framework makes the call, and has a backend for the second side's library. */
  readonly byFramework?: (via: readonly string[]) => boolean
  /** Only the second side makes the calls, and no listener is called: another thread does all the rest. */
  readonly secondAlone?: boolean
}

/** @throws TraceError for a line that is wrong; AbortSignal's reason */
export async function replay(plan: ReplayPlan, visitor: ReplayVisitor): Promise<void> {
  const { trace, topology, compat, strict } = plan
  const known = new Set<string>()
  const unreachable = new UnreachableServers([compat.fleet, strict.fleet])
  const one = async (event: TraceEvent): Promise<void> => {
    switch (event.kind) {
      case 'new': {
        known.add(event.client)
        visitor.constructs?.(event)
        constructed(plan, event, visitor)
        const servers = topology.map(event.servers, event.line, trace.name)
        unreachable.constructed(event.client, servers, event)
        create(plan, event, servers, visitor)
        break
      }
      case 'fault':
        if (event.fault.server >= topology.size) {
          visitor.note(
            `fault for server ${event.fault.server} left out: there are ${topology.size} servers`,
            event.line,
          )
          break
        }
        await Promise.all([compat.fleet.fault(event.fault), strict.fleet.fault(event.fault)])
        if (event.emptied)
          await Promise.all([compat.fleet.empty(event.fault.server), strict.fleet.empty(event.fault.server)])
        visitor.fault(event.fault.server, event.line)
        break
      case 'note':
        visitor.note(event.text, event.line, event.leftOut)
        break
      case 'call':
        return call(plan, event, known, unreachable, visitor)
      case 'wire': {
        const made = callOfWire(event, plan.source)
        if ('skipped' in made) visitor.note(`command left out: ${made.skipped}`, event.line, true)
        else await call(plan, made, known, unreachable, visitor)
      }
    }
  }
  for await (const portion of portionsOf(trace)) {
    for (const event of portion) {
      plan.signal?.throwIfAborted()
      const pause = plan.timeTo(event.t)
      if (pause) await pause
      // Written inline for the most frequent events, which saves a promise.
      if (event.kind === 'call') await call(plan, event, known, unreachable, visitor)
      else await one(event)
    }
  }
}

/** The outcome of the target's constructor for the application's call. It is an operation of the report only when it raises. */
function constructed(plan: ReplayPlan, event: NewEvent, visitor: ReplayVisitor): void {
  const { library } = plan.strict
  const { source } = plan
  const pymemcaches = Number(source.name === 'pymemcache') + Number(library.name === 'pymemcache')
  if (plan.repaired || pymemcaches === 2 || (source.name === 'pylibmc' && pymemcaches === 0)) return
  try {
    if (source.name === 'pymemcache') checkPymemcacheConstruction(library, event)
    else {
      unchangedConstruction(library, event)
      for (const [before, after] of movedPositions(library, event))
        visitor.note(
          `the constructor's argument ${before} is given by position; ${library.name} ${library.version} takes it for ${after}`,
          event.line,
        )
    }
  } catch (error) {
    const { line, t, client } = event
    const { args, kwargs } = constructorArguments(event)
    visitor.operation({
      line,
      t,
      client,
      call: constructorCall,
      args,
      kwargs,
      ...(event.at === undefined ? {} : { at: event.at }),
      ...(event.via ? { via: event.via } : {}),
      keys: [],
      servers: [],
      recorded: { result: null },
      compat: { result: null },
      strict: raised(error),
      announced: [],
      gaps: [],
      reasons: [{ switch: 'constructor', how: 'signature' }],
    })
  }
}

/** The arguments as the application gives them. */
function constructorArguments({ servers, kwargs, positional = ['servers'] }: NewEvent) {
  const written = servers.map(
    (server): TypedJson => (typeof server === 'string' ? server : { $tuple: server }),
  )
  const given = new Map<string, TypedJson>(Object.entries(kwargs))
  given.set(positional[0] ?? 'servers', written)
  const args = positional.map((name) => given.get(name) ?? null)
  for (const name of positional) given.delete(name)
  return { args, kwargs: Object.fromEntries(given) }
}

type NewClient = Construction & Pick<NewEvent, 'line' | 'client'> & Partial<Pick<NewEvent, 'servers'>>

function create(
  { compat, strict }: ReplayPlan,
  made: NewClient,
  servers: readonly Placed[],
  visitor: ReplayVisitor,
): void {
  const { client, line } = made
  visitor.client(client)
  for (const side of [compat, strict]) {
    try {
      for (const note of side.create(client, servers, made)) visitor.note(note, line)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      visitor.note(
        `client not constructed as ${side.library.name}, its calls are left out: ${reason}`,
        line,
        true,
      )
    }
  }
}

async function call(
  plan: ReplayPlan,
  event: CallEvent,
  known: Set<string>,
  unreachable: UnreachableServers,
  visitor: ReplayVisitor,
): Promise<void> {
  const { compat, strict, topology, source } = plan
  if (!known.has(event.client)) {
    const { line, client } = event
    known.add(client)
    visitor.note(`client ${client} has no "new" line: replayed with the defaults on all servers`, line)
    create(plan, { line, client, kwargs: {} }, topology.all(), visitor)
  }
  if (!compat.has(event.client) || !strict.has(event.client)) return
  let words: PythonCall
  try {
    words = { call: event.call, args: event.args.map(asValue), kwargs: decoded(event.kwargs) }
    if (event.via && plan.byFramework?.(event.via)) words = { ...words, byFramework: true }
  } catch (error) {
    visitor.note(`call left out: ${error instanceof Error ? error.message : String(error)}`, event.line, true)
    return
  }
  if (source.name === 'pymemcache' && changesServers.has(event.call)) {
    visitor.note(
      `${event.call} left out: servers that are added or removed later are not replayed`,
      event.line,
      true,
    )
    return
  }
  const bound = boundBy(source, words) ?? boundBy(strict.library, words) ?? {}
  const given = event.call === 'set_servers' ? tracedServers(bound.servers) : []
  if (!given) {
    visitor.note('set_servers left out: its argument is not a list of servers', event.line, true)
    return
  }
  unreachable.before(event, () => {
    const [key, ...others] = touchedKeys(bound)
    return key === undefined || others.length > 0 ? undefined : compat.place(event.client, key)
  })
  const servers = event.call === 'set_servers' ? topology.map(given, event.line, plan.trace.name) : undefined
  if (plan.secondAlone) {
    await strict.run(event.client, words, servers)
    return
  }
  // Both at once, because a server that makes one side wait makes the other wait, too.
  const { outcome: recorded } = event
  const [before, after] = [
    compat.run(event.client, words, servers, recorded),
    strict.run(event.client, words, servers, recorded),
  ]
  const [c, s] = after instanceof Promise ? await Promise.all([before, after]) : [await before, after]
  // If the target takes the prefix for another argument, its keys have no prefix.
  const unprefixed =
    strict.explain && bound.key_prefix !== undefined ? touchedKeys({ ...bound, key_prefix: undefined }) : []
  const touched = touchedKeys(bound)
  const keys = withWords(unprefixed.length === 0 ? touched : [...new Set([...touched, ...unprefixed])])
  const placed = keys.map((key) => strict.place(event.client, key))
  const sources = keys.map((key) => compat.place(event.client, key))
  visitor.operation({
    line: event.line,
    t: event.t,
    client: event.client,
    call: event.call,
    args: event.args,
    kwargs: event.kwargs,
    at: event.at,
    ...(event.via ? { via: event.via } : {}),
    keys,
    servers: keys.length === 0 ? topology.all().map(({ index }) => index) : distinctNumbers(placed),
    sourceServer: sources.length === 1 ? sources[0] : undefined,
    moved: placed.some((server, i) => server !== undefined && sources[i] !== server),
    // Only pylibmc's documentation has another meaning.
    ...([compat, strict].some(({ library }) => library.name === 'pylibmc') && isNegative(bound.time)
      ? { negativeTime: true }
      : {}),
    recorded: event.outcome && normalized(event.call, event.outcome),
    compat: c.outcome,
    strict: s.outcome,
    announced: distinct(unshared(c.announced, s.announced)),
    gaps: joined(s.gaps, c.gaps),
    reasons: joined(
      joined(c.reasons, s.reasons),
      explained(plan, event.client, words, c, s) ?? likelyReasons(bound),
    ),
    uncertain: s.uncertain,
    repaired: s.repaired,
    foundNone: s.foundNone,
  })
}

const changesServers = new Set(['add_server', 'remove_server'])

/** The explanations of pymemcache's side, which is either of the two. */
function explained(
  { compat, strict }: ReplayPlan,
  client: string,
  call: PythonCall,
  first: Replayed,
  second: Replayed,
): readonly Reason[] | undefined {
  const isNamed = second.reasons.length > 0 || second.gaps.some(({ kind }) => kind === 'method')
  const refused = isNamed && refusedByPython(second.outcome)
  const compared = { client, call, before: first.outcome, after: second.outcome, refused }
  const reversed = { ...compared, before: second.outcome, after: first.outcome }
  if (compat.explain && strict.explain) return compat.explain(compared, strict)
  const found = compat.explain ? compat.explain(reversed, strict) : strict.explain?.(compared, compat)
  // python-memcached uses another server for the key, and pymemcache does not look for the item there.
  const announced = joined(first.announced, second.announced)
  const elsewhere = announced.some((event) => event.switch === 'failover')
  // python-memcached 1.56 to 1.58 on Python 3 fails where it puts text and bytes together.
  const mixed = announced.some((event) => event.switch === 'bytes-and-text')
  return (
    found && [
      ...found,
      ...(elsewhere ? [{ ...reasonFor('pymemcache-failures'), stored: true }] : []),
      ...(mixed && !sameOutcome(first.outcome, second.outcome) ? [reasonFor('argument-type')] : []),
    ]
  )
}

/** Nearly always one of them is empty. */
function joined<T>(one: readonly T[], other: readonly T[]): readonly T[] {
  return one.length === 0 ? other : other.length === 0 ? one : [...one, ...other]
}

const asValue = (json: TypedJson): unknown => fromTypedJson(json)

function distinctNumbers(numbers: readonly (number | undefined)[]): readonly number[] {
  if (numbers.length === 1 && numbers[0] !== undefined) return numbers as readonly number[]
  return [...new Set(numbers.filter((number) => number !== undefined))]
}

function decoded(kwargs: CallEvent['kwargs']): Record<string, unknown> {
  for (const _ in kwargs)
    return Object.fromEntries(Object.entries(kwargs).map(([name, value]) => [name, fromTypedJson(value)]))
  return none
}

const none: Record<string, unknown> = {}

/** Converts the recorder's form of a value to ours, so that equal values have equal text. */
export function normalized(call: string, outcome: Outcome): Outcome {
  if ('raises' in outcome) return outcome
  const { result } = outcome
  if (result === null || typeof result === 'boolean') return outcome
  try {
    const value = fromTypedJson(result)
    // Keys are returned as the caller's own objects, which are equal to their texts.
    return returned(/_(multi|many)$/.test(call) ? withBuiltinItems(value) : value)
  } catch {
    return outcome
  }
}

/** Undefined where Python would not accept the call. */
function boundBy(library: Library, words: PythonCall): Bound | undefined {
  try {
    return bind(library, words)
  } catch {
    return undefined
  }
}

/** Announcements that both sides make, as two versions of python-memcached may, are not differences. */
function unshared(one: readonly Announced[], other: readonly Announced[]): readonly Announced[] {
  if (other.length === 0) return one
  const said = ({ switch: name, key, compat }: Announced) => `${name} ${key} ${compat}`
  const [mine, theirs] = [new Set(one.map(said)), new Set(other.map(said))]
  return [
    ...one.filter((event) => !theirs.has(said(event))),
    ...other.filter((event) => !mine.has(said(event))),
  ]
}

/** get_multi announces once per key; one of a kind and key is enough. */
function distinct(announced: readonly Announced[]): readonly Announced[] {
  if (announced.length < 2) return announced
  const seen = new Map(announced.map((event) => [`${event.switch} ${event.key} ${event.strict}`, event]))
  return [...seen.values()]
}
