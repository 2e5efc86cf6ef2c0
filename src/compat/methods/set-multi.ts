/** set_multi, in python-memcached's order of steps. Source: docs/reference/python-memcached.md#10.5, #13.2. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bytes } from '../../ground/bytes.js'
import { MemcachedError } from '../../pipeline/failures/errors.js'
import { entriesOf, timeOf } from '../../pipeline/methods/arguments.js'
import type { Key } from '../../pipeline/methods/index.js'
import * as pylibmc from '../../pipeline/methods/index.js'
import type { PreparedStore } from '../../pipeline/pipeline.js'
import type { Modes, Server } from '../../pipeline/slots.js'
import { AttributeError, KeyError } from '../../python/errors.js'
import { typeName } from '../../python/type-name.js'
import { TransportError } from '../../transport/errors.js'
import { isStandIn, standIn } from '../../values/classes/stand-ins.js'
import { python2Order } from '../../values/pickle/write/python2-order.js'
import { Raised, raises } from '../divergence/divergence.js'
import type { Emulation } from '../emulation/emulation.js'
import { ValueTooLong } from '../errors.js'
import type { QuietModes } from '../policies/debug-lines.js'
import { pythonText } from '../policies/exptime.js'
import { asTuple } from '../policies/keys.js'
import { answered, sendFailed, stumble, transportKind } from '../policies/outcomes.js'
import { checkedOptions, type MultiArgument, withoutNoReply } from './call-options.js'
import { type Context, modesFor } from './context.js'
import { pickAll } from './picking.js'
import { compressionFor } from './storage.js'

interface Planned<K> {
  readonly original: K
  readonly key: Bytes
  readonly server: Server | undefined
  /** The error for a tuple key, which some versions do not find again. */
  readonly lost?: Error
  readonly value: unknown
  /** Missing until it is written, and for a value over the limit. */
  prepared?: PreparedStore
}

type Fate = 'stored' | 'refused' | 'forgotten' | 'unsent'

/** Every key is tried, all servers at once. @returns the keys that are known not to be stored */
export async function setMulti<K>(
  context: Context,
  mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
  argument: MultiArgument | undefined,
): Promise<K[]> {
  const { emulation, pipeline } = context
  const options = checkedOptions(emulation, 'setMulti', argument)
  if (emulation.rules.setMulti !== 'all-servers') {
    const entries = mapping as ReadonlyMap<Key, unknown>
    return pylibmc.storeMulti(pipeline, 'set', entries, withoutNoReply(options)) as Promise<K[]>
  }
  const modes = modesFor(context, options)
  const quiet: QuietModes = { ...modes, quiet: true }
  const troubles: unknown[] = []
  // First the servers of all keys are found, then everything is sent at once, in python-memcached's order.
  const { plan, values } = await planned<K>(context, mapping, options, troubles)
  const fates = new Map<Planned<K>, Fate>()
  const { sent, oversize, failure } = writtenOut(context, plan, options)
  await Promise.all(
    sent.map(async (one) => {
      const { server, prepared } = one
      const fate = server && prepared ? storeOn(context, server, prepared, quiet, troubles) : 'forgotten'
      fates.set(one, await fate)
    }),
  )
  if (failure) throw failure.thrown
  stumble(emulation, troubles)
  const lossesListed = emulation.rules.lossesInSetMulti !== 'left-out'
  // Values that are too long are known before anything is sent; then the replies are read server by server.
  const ordered = [
    ...oversize,
    ...Array.from(byServer(plan).values())
      .flat()
      .filter((one) => fates.has(one)),
  ]
  const unsent = new Set(sent.flatMap((one) => (one.server && fates.get(one) === 'unsent' ? one.server : [])))
  let listed = ordered.filter((one) => {
    const fate = fates.get(one)
    return fate === undefined || fate === 'refused' || (fate !== 'stored' && lossesListed)
  })
  if (oversize.length > 0 && emulation.rules.oversizeInSetMulti === 'stall' && !modes.noreply) {
    await waitForOversize(context, oversize, modes, troubles, unsent)
    listed = misattributed(plan, oversize, fates, troubles)
  }
  // If there was no server at all, every key is listed, unless the call does not wait for replies.
  const none =
    plan.length > 0 && troubles.length > 0 && plan.every(({ server }) => !server || unsent.has(server))
  const all = none && !modes.noreply
  const result = all ? [...values.keys()] : listed.map(({ original }) => original)
  if (emulation.announcer.active) {
    if (emulation.rules.mixesText && sent.length > 0 && !modes.noreply)
      announceMixedText(emulation, result.length)
    if (!all) announceLosses(context, fates.values())
    announceTrouble(context, troubles, `lists ${result.length} keys`)
  }
  return result
}

async function planned<K>(
  context: Context,
  mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
  options: unknown,
  troubles: unknown[],
): Promise<{ plan: readonly Planned<K>[]; values: ReadonlyMap<K, unknown> }> {
  const { emulation, keys } = context
  const { keyPrefix } = (typeof options === 'object' ? options : {}) as { readonly keyPrefix?: unknown }
  if (Array.isArray(mapping) || typeof mapping !== 'object' || mapping === null)
    throw new AttributeError(`'${typeName(mapping)}' object has no attribute 'keys'`)
  const prefix = keys.prefix(keyPrefix, 'setMulti')
  const given = entriesOf(mapping as ReadonlyMap<string, unknown>) as unknown as [K, unknown][]
  const entries = emulation.rules.python === 2 ? python2Order(given, ([key]) => key) : given
  // Encoded now, because the caller may change its bytes while servers are being picked.
  const values = new Map(entries.map(([key, value]) => [key, fixed(value)]))
  const placed = await pickAll(context, 'setMulti', values.keys(), prefix, troubles)
  // For keys that are the same on the wire, the last value is stored once for each of them.
  const last = new Map(placed.map((one) => [one.wire, one]))
  const plan = placed.map(({ wire, server }): Planned<K> => {
    const { original, hash } = last.get(wire)!
    const plain = { original, value: values.get(original) }
    return { key: wire, server, ...(hash === undefined ? plain : tupleValue(context, original, values)) }
  })
  return { plan, values }
}

function fixed(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value
  return isStandIn(value) ? standIn(new Uint8Array(value)) : new Uint8Array(value)
}

interface WrittenOut<K> {
  readonly sent: readonly Planned<K>[]
  readonly oversize: readonly Planned<K>[]
  readonly failure?: { readonly thrown: unknown }
}

/** Values are written server by server. A value that cannot be written ends the call; earlier servers have received their values. */
function writtenOut<K>(context: Context, plan: readonly Planned<K>[], options: unknown): WrittenOut<K> {
  const sent: Planned<K>[] = []
  const oversize: Planned<K>[] = []
  for (const [server, group] of byServer(plan)) {
    if (!server) {
      sent.push(...group)
      continue
    }
    const written: Planned<K>[] = []
    try {
      for (const one of group) (encodes(context, one, options) ? written : oversize).push(one)
    } catch (thrown) {
      return { sent, oversize, failure: { thrown } }
    }
    sent.push(...written)
  }
  return { sent, oversize }
}

function byServer<K>(plan: readonly Planned<K>[]): Map<Server | undefined, Planned<K>[]> {
  const groups = new Map<Server | undefined, Planned<K>[]>()
  for (const one of plan) {
    const group = groups.get(one.server) ?? []
    groups.set(one.server, group)
    group.push(one)
  }
  return groups
}

/** False for a value over the limit. @throws for a value that cannot be written; TypeError for a value over the limit up to 1.45 */
function encodes<K>(context: Context, one: Planned<K>, options: unknown): boolean {
  const { emulation, pipeline } = context
  const { key, value } = one
  if (one.lost) throw one.lost
  const compression = compressionFor(context, options as object)
  try {
    const encoded = pipeline.encode(value, compression, 'setMulti', key)
    const exptime = pipeline.slots.exptime(timeOf(options as number), 'setMulti', key)
    one.prepared = { verb: 'set', key, encoded, exptime }
    return true
  } catch (error) {
    if (!(error instanceof ValueTooLong)) throw error
    if (emulation.rules.oversizeInSetMulti === 'TypeError')
      throw new TypeError("'int' object is not iterable", { cause: error })
    return false
  }
}

/** In 1.55–1.59 the value is looked for under the key without its hash: KeyError, unless the mapping has that key as well. */
function tupleValue<K>(
  { emulation }: Context,
  original: K,
  values: ReadonlyMap<unknown, unknown>,
): Pick<Planned<K>, 'original' | 'value' | 'lost'> {
  if (emulation.rules.multiTuples !== 'broken') return { original, value: values.get(original) }
  const bare = asTuple(original)![1] as K
  emulation.announcer.heard?.announce('multi-tuple-keys', {
    operation: 'setMulti',
    compat: values.has(bare) ? 'stores the value of the bare key' : new Raised('KeyError'),
    strict: new Raised('TypeError'),
  })
  const found = { original: bare, value: values.get(bare) }
  return values.has(bare) ? found : { ...found, lost: new KeyError(pythonText(bare, emulation.rules.python)) }
}

async function storeOn(
  { pipeline, emulation }: Context,
  server: Server,
  prepared: PreparedStore,
  modes: Modes,
  troubles: unknown[],
): Promise<Fate> {
  try {
    const stored = await pipeline.storeOn(server, prepared, 'setMulti', modes)
    return stored && !(emulation.rules.mixesText && !modes.noreply) ? 'stored' : 'refused'
  } catch (error) {
    if (!(error instanceof MemcachedError)) throw error
    troubles.push(error)
    if (sendFailed(error)) return 'unsent'
    const kind = transportKind(error)
    // The replies after an invalid one still arrive, and are not text either.
    if (kind === 'aborted' && emulation.rules.mixesText) return 'refused'
    return answered(error) || kind === 'closed' ? 'refused' : 'forgotten'
  }
}

/**
 * python-memcached counts the value it did not send among the replies it expects.
 * @param unsent collects the servers to which nothing could be sent
 */
async function waitForOversize<K>(
  { emulation, pipeline }: Context,
  oversize: readonly Planned<K>[],
  modes: Modes,
  troubles: unknown[],
  unsent: Set<Server>,
): Promise<void> {
  const waiting = new Set(
    oversize.flatMap(({ server }) =>
      server && !troubles.some((error) => isOf(server, error)) ? server : [],
    ),
  )
  for (const server of waiting) {
    const { exchange, name } = server
    if (!exchange.ended) continue
    // Sending zero bytes fails if the connection was reset; otherwise reading finds it closed.
    const kind = exchange.wasReset ? 'reset' : 'closed'
    if (kind === 'reset') unsent.add(server)
    exchange.close()
    const error = new TransportError(kind, name, 'the server has closed the connection', { sent: true })
    troubles.push(pipeline.selection.failed(server, error, 'setMulti', undefined))
    waiting.delete(server)
  }
  if (waiting.size === 0) return
  for (const server of waiting)
    emulation.announcer.heard?.announce('set-multi-oversize', {
      operation: 'setMulti',
      server: server.name,
      compat: 'waits for the timeout, and the server counts as dead',
      strict: new Raised('TooBig', 37),
    })
  await sleep(modes.timeout)
  for (const server of waiting) {
    server.exchange.close()
    const error = new TransportError('timeout', server.name, 'no reply to what was never sent', {
      sent: true,
    })
    pipeline.selection.failed(server, error, 'setMulti', undefined)
  }
}

/** Whether the error belongs to the connection of a server, on which nothing more is awaited. */
function isOf(server: Server, error: unknown): boolean {
  return error instanceof MemcachedError && error.server === server.name && transportKind(error) !== undefined
}

/**
 * Keys of oversize values, and then the replies in the order of all keys of a server, some of which have no reply. On a connection that was
 * closed every further line is empty, and the key is listed.
 */
function misattributed<K>(
  plan: readonly Planned<K>[],
  oversize: readonly Planned<K>[],
  fates: ReadonlyMap<Planned<K>, Fate>,
  troubles: readonly unknown[],
): Planned<K>[] {
  const refused = Array.from(byServer(plan), ([server, keys]) => {
    if (!server) return []
    const closed = troubles.some((error) => isOf(server, error) && transportKind(error) === 'closed')
    const replies = keys.filter((one) => !oversize.includes(one)).map((one) => fates.get(one))
    const missing: Fate = closed ? 'refused' : 'forgotten'
    return keys.filter((_, index) => (replies[index] ?? missing) === 'refused')
  })
  return [...oversize, ...refused.flat()]
}

/** 1.55 to 1.57 compare the reply, which is bytes, with text. */
function announceMixedText({ announcer }: Emulation, listed: number): void {
  announcer.announce('bytes-and-text', {
    operation: 'setMulti',
    compat: `lists ${listed} keys, stored or not`,
    strict: 'lists no key that was stored',
  })
}

function announceLosses({ emulation }: Context, fates: Iterable<Fate>): void {
  const lost = [...fates].filter((fate) => fate === 'forgotten' || fate === 'unsent').length
  if (lost === 0 || emulation.rules.lossesInSetMulti !== 'left-out') return
  emulation.announcer.announce('set-multi-losses', {
    operation: 'setMulti',
    compat: `leaves ${lost} lost keys out of its list`,
    strict: 'raises',
  })
}

function announceTrouble({ emulation }: Context, troubles: readonly unknown[], compat: string): void {
  const [error] = troubles
  if (error === undefined) return
  const server = error instanceof MemcachedError ? error.server : undefined
  emulation.announcer.announce('set-multi', {
    operation: 'setMulti',
    server,
    compat,
    strict: raises(error),
    error,
  })
}
