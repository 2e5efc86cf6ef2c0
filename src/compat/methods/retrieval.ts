/** get, gets and get_multi. Source: docs/reference/python-memcached.md#10, #10.1, #10.5, #13.1. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Bytes } from '../../ground/bytes.js'
import type { KeyHash } from '../../hashing/python-memcached.js'
import { MemcachedError } from '../../pipeline/failures/errors.js'
import { type Found, type Group, groupOf, readGroup, readMulti } from '../../pipeline/many.js'
import * as pylibmc from '../../pipeline/methods/index.js'
import type { Operation } from '../../pipeline/operations.js'
import type { Server } from '../../pipeline/slots.js'
import { ValueError } from '../../python/errors.js'
import { isPlain } from '../../python/options.js'
import { typeName } from '../../python/type-name.js'
import { TransportError } from '../../transport/errors.js'
import { Raised } from '../divergence/divergence.js'
import type { Emulation } from '../emulation/emulation.js'
import { asTuple } from '../policies/keys.js'
import { again, swallowed, unread } from '../policies/outcomes.js'
import { miscounted } from '../policies/wording.js'
import { checkedOptions, type GetMultiOptions } from './call-options.js'
import type { CompatKey, Context, KeysOf } from './context.js'
import { type PlacedKey, pickAll, placedKey } from './picking.js'
import { mustHave } from './surface.js'

/** On a network failure null, not the default, unless `get-default-on-failure` says otherwise. */
export function get(context: Context, key: CompatKey, missing: unknown): Promise<unknown> {
  const { emulation, pipeline, keys } = context
  try {
    if (missing !== undefined) takesDefault(emulation, key)
    const { wire, hash } = keys.one(key, 'get')
    const none = emulation.rules.results === 'numbers' ? null : undefined
    const absent = missing === undefined ? none : missing
    if (wire === '') return Promise.resolve(absent)
    const { swallowing } = context
    if (swallowing && missing === undefined)
      return pipeline.read(swallowing.retrieval, wire, 'get', swallowing, none, hash)
    const modes = pipeline.slots.modes()
    const run = () => pipeline.read(modes.retrieval, wire, 'get', modes, absent, hash)
    return again(context, 'get', run).catch((error) => unreadWithDefault(emulation, wire, error, missing))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Python checks the signature before the key. @throws TypeError with the message of a version without defaults */
function takesDefault({ rules, announcer }: Emulation, given: CompatKey): void {
  if (rules.getDefault) return
  const compat = new Raised('TypeError')
  const key = typeof given === 'string' ? Buffer.from(given).toString('latin1') : undefined
  announcer.heard?.announce('get-default', { operation: 'get', key, compat, strict: 'takes a default' })
  throw new TypeError(`get() takes no default in python-memcached ${rules.version}`)
}

function unreadWithDefault(emulation: Emulation, key: Bytes, error: unknown, missing: unknown): unknown {
  if (missing === undefined) return unread(emulation, key, error)
  if (emulation.rules.failedGet !== 'None') return swallowed(emulation, 'errors', 'get', key, error, missing)
  const none = unread(emulation, key, error)
  emulation.announcer.heard?.announce('get-default-on-failure', {
    operation: 'get',
    key,
    compat: 'None',
    strict: 'raises',
    error,
  })
  return none
}

export async function gets(context: Context, key: CompatKey): Promise<unknown> {
  const { emulation, pipeline, keys, casIds } = context
  mustHave(emulation, 'gets')
  const { wire, hash } = keys.one(key, 'gets')
  const python = emulation.rules.results === 'numbers'
  const nothing = (): null | [undefined, undefined] => (python ? null : [undefined, undefined])
  if (wire === '') return nothing()
  const modes = pipeline.slots.modes()
  if (!modes.cas) return pylibmc.gets(pipeline, wire)
  try {
    const item = await again(context, 'gets', () => pipeline.fetch('gets', wire, 'gets', modes, hash))
    if (python)
      emulation.announcer.heard?.announce('return-values', {
        operation: 'gets',
        key: wire,
        compat: item ? 'the value' : 'None',
        strict: item ? '(value, CAS unique)' : '(None, None)',
      })
    if (!item) return nothing()
    if (item.cas === undefined && emulation.rules.failures === 'swallowed')
      throw new ValueError(miscounted(emulation.rules, 5, 4))
    const unique = BigInt.asIntN(64, item.cas ?? 0n)
    if (remembers(context)) casIds.set(wire, unique)
    const value = pipeline.slots.decode(item, 'gets')
    return python ? value : [value, unique]
  } catch (error) {
    return swallowed(emulation, 'errors', 'gets', wire, error, nothing())
  }
}

/** If cas without a unique is not a plain set, cas needs the unique of gets, also when gets returns only the value. */
function remembers({ emulation: { rules, cacheCas } }: Context): boolean {
  const byVersion = rules.casIds === 'always' || (rules.casIds === 'opt-in' && cacheCas)
  return byVersion || rules.casWithoutUnique !== 'stores'
}

/** Values by the caller's keys; missing keys and those of failed servers are absent. */
export async function getMulti<K>(
  context: Context,
  given: KeysOf<K>,
  options: GetMultiOptions,
): Promise<Map<K, unknown>> {
  const { emulation, pipeline, keys } = context
  const { keyPrefix } = checkedOptions(emulation, 'getMulti', options)
  const listed = () => keyList(context, given, 'getMulti', 'dict is not a sequence')
  // From 1.60 on every key is encoded before the prefix is checked.
  const early = emulation.rules.keysBeforePrefix ? listed() : undefined
  const prefix = keys.prefix(keyPrefix, 'getMulti')
  const list = early ?? listed()
  const troubles: unknown[] = []
  const swallows = emulation.rules.failures === 'swallowed'
  const placed: readonly PlacedKey<K>[] = swallows
    ? await pickAll(context, 'getMulti', list, prefix, troubles)
    : list.map((original) => placedKey(keys.one(original, 'getMulti', prefix), original, undefined))
  const names: K[] = []
  const asked: Asked[] = []
  /** Otherwise two of the caller's keys may be the same key. */
  let texts = emulation.options.keyEncoder === undefined
  const bareTuples = emulation.rules.multiTuples === 'broken'
  for (const { original: key, wire, hash, shown, server } of placed) {
    if (wire === '') continue
    asked.push({ key: wire, hash, server })
    let name = shown ? (shown.key as K) : key
    if (hash !== undefined && bareTuples) {
      const compat = 'returns the bare key'
      emulation.announcer.heard?.announce('multi-tuple-keys', {
        operation: 'getMulti',
        key: wire,
        compat,
        strict: new Raised('TypeError'),
      })
      name = (Array.isArray(key) ? key[1] : (key as { items: unknown[] }).items[1]) as K
    }
    texts &&= typeof name === 'string'
    names.push(name)
  }
  if (!texts) unify(names, asked, emulation.rules.keyCheck === 'python-memcached')
  const values = new Map<K, unknown>()
  const unreadable: unknown[] = []
  const found: Found = (index, value) => {
    const name = names[index]!
    // The result is a dict of the keys.
    if (!texts && Array.isArray(name) && asTuple(name) === undefined)
      unreadable.push(new TypeError("unhashable type: 'list'"))
    values.set(name, value)
  }
  if (swallows) await readAll(context, asked, found, troubles, unreadable)
  else {
    const hashes = asked.flatMap(({ key, hash }) => (hash === undefined ? [] : [[key, hash] as const]))
    const wires = asked.map(({ key }) => key)
    await readMulti(pipeline, wires, pipeline.slots.modes(), found, new Map(hashes))
  }
  return values
}

interface Asked {
  readonly key: Bytes
  readonly hash?: KeyHash | undefined
  readonly server: Server | undefined
}

/** pylibmc returns a key that is given as text and as bytes once, as text; python-memcached returns it in the last given form. */
function unify<K>(names: K[], asked: readonly Asked[], latest: boolean): void {
  const unified = new Map<Bytes, K>()
  for (const [index, { key }] of asked.entries())
    if (latest || typeof unified.get(key) !== 'string') unified.set(key, names[index]!)
  for (const [index, { key }] of asked.entries()) names[index] = unified.get(key)!
}

/** As python-memcached: items that arrived are returned, also when a server failed. */
async function readAll(
  context: Context,
  asked: readonly Asked[],
  found: Found,
  troubles: unknown[],
  unreadable: unknown[],
): Promise<void> {
  const { emulation, pipeline } = context
  const modes = pipeline.slots.modes()
  const groups = new Map<Server, Group>()
  for (const [index, { key, server }] of asked.entries()) {
    if (!server) continue
    const group = groupOf(groups, server)
    group.wires.push(modes.namespace + key)
    group.indexes.push(index)
  }
  await Promise.all(
    Array.from(groups.values(), async (group) => {
      try {
        const { end } = await readGroup(pipeline, group, modes, found, unreadable)
        if (end.status === 'END' || end.line === '') return
        const error = await stalled(context, group.server, 'getMulti', end.line)
        if (error) throw pipeline.selection.failed(group.server, error, 'getMulti', undefined)
      } catch (error) {
        if (!(error instanceof MemcachedError)) throw error
        troubles.push(error)
      }
    }),
  )
  for (const error of troubles)
    swallowed(emulation, 'errors', 'getMulti', undefined, error, 'leaves keys out')
  if (unreadable.length > 0) throw unreadable[0]
}

/** python-memcached continues to read after an unknown line, until the timeout. Undefined if the switch is off. */
export async function stalled(
  { emulation, pipeline }: Context,
  server: Server,
  operation: Operation,
  line: Bytes,
): Promise<TransportError | undefined> {
  if (!emulation.rules.stallsAtErrorLine) return undefined
  emulation.announcer.heard?.announce('error-line-stall', {
    operation,
    server: server.name,
    compat: 'waits for the timeout',
    strict: 'takes it for the end of the reply',
  })
  await sleep(pipeline.slots.modes().timeout)
  server.exchange.close()
  return new TransportError('timeout', server.name, `no END after ${JSON.stringify(line.slice(0, 80))}`, {
    sent: true,
  })
}

/** python-memcached iterates over every argument, a dict by its keys. @throws TypeError as pylibmc does for a dict */
export function keyList<K>(
  { emulation }: Context,
  given: KeysOf<K>,
  operation: Operation,
  refusal: string,
): K[] {
  const isMap = given instanceof Map
  // The elements of bytes are bytes in Python 2, and numbers in Python 3.
  if (given instanceof Uint8Array && emulation.rules.python === 2)
    return Array.from(given, (byte) => Uint8Array.of(byte)) as unknown[] as K[]
  if (!isMap && Symbol.iterator in Object(given)) return [...(given as Iterable<K>)]
  if (!isMap && !isPlain(given)) throw new TypeError(`'${typeName(given)}' object is not iterable`)
  if (emulation.rules.keyCheck !== 'python-memcached') throw new TypeError(refusal)
  emulation.announcer.heard?.announce('keys', {
    operation,
    compat: 'takes the keys of the dict',
    strict: new Raised('TypeError'),
  })
  return isMap ? [...(given as ReadonlyMap<K, unknown>).keys()] : (Object.keys(given as object) as K[])
}
