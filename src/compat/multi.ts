/** Operations on many keys, the way python-memcached works through them. Source: spec/python-memcached §10.5, §13.2. */
import * as requests from '../protocol/requests.js'
import type { Bytes, LineReply } from '../protocol/wire.js'
import { AttributeError } from '../python/errors.js'
import { typeName } from '../python/type-name.js'
import { compressionOf, entriesOf, timeOf } from '../strict/arguments.js'
import type { Commands } from '../strict/commands.js'
import type { PreparedStore } from '../strict/core.js'
import { MemcachedError, type Modes, type Operation, type Server } from '../strict/index.js'
import { softOutcome } from '../strict/replies.js'
import { raises } from './divergence.js'
import type { Emulation } from './emulation.js'
import { ValueTooLong } from './errors.js'
import type { Keys } from './keys.js'
import { answered, spelled, swallowed, transportKind } from './outcomes.js'

/** What every function here works with. */
export interface Context {
  readonly emulation: Emulation
  readonly commands: Commands
  readonly keys: Keys
}

/** Many keys, or a mapping whose keys are meant. */
export type KeysOf<K> = Iterable<K> | ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>

/** python-memcached iterates whatever it gets, a dict by its keys. @throws TypeError as pylibmc does for a dict */
function keyList<K>({ emulation }: Context, given: KeysOf<K>, operation: Operation, refusal: string): K[] {
  const isMap = given instanceof Map
  if (!isMap && Symbol.iterator in Object(given)) return [...(given as Iterable<K>)]
  if (!isMap && (typeof given !== 'object' || given === null))
    throw new TypeError(`'${typeName(given)}' object is not iterable`)
  if (!emulation.on('keys')) throw new TypeError(refusal)
  emulation.announcer.announce('keys', {
    operation,
    compat: 'takes the keys of the dict',
    strict: 'raises TypeError',
  })
  return isMap ? [...(given as ReadonlyMap<K, unknown>).keys()] : (Object.keys(given as object) as K[])
}

/** Values by the caller's keys; missing keys and those of failed servers are absent. */
export async function getMulti<K>(
  context: Context,
  given: KeysOf<K>,
  keyPrefix: unknown,
): Promise<Map<K, unknown>> {
  const { emulation, commands, keys } = context
  const modes = commands.slots.modes()
  const prefix = keys.prefix(keyPrefix, 'getMulti')
  const names = new Map<Bytes, K>()
  const hashes = new Map<Bytes, bigint>()
  const asked: Bytes[] = []
  for (const key of keyList(context, given, 'getMulti', 'dict is not a sequence')) {
    const { wire, hash } = keys.one(key, 'getMulti', prefix)
    if (wire === '') continue
    asked.push(wire)
    names.set(wire, key)
    if (hash !== undefined) hashes.set(wire, hash)
  }
  const found = new Map<K, unknown>()
  let items: Awaited<ReturnType<typeof commands.fetchMulti>>
  try {
    items = await commands.fetchMulti(asked, modes, hashes)
  } catch (error) {
    return swallowed(emulation, 'errors', 'getMulti', undefined, error, found)
  }
  for (const item of items) found.set(names.get(item.key) as K, commands.slots.decode(item, 'getMulti'))
  return found
}

interface Planned<K> extends PreparedStore {
  readonly original: K
}

/** Every key is tried, all servers at once. @returns the keys that are known not to be stored */
export async function setMulti<K>(
  { emulation, commands, keys }: Context,
  mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
  options: unknown,
  modes: Modes,
): Promise<K[]> {
  const { keyPrefix } = (typeof options === 'object' ? options : {}) as { readonly keyPrefix?: unknown }
  if (Array.isArray(mapping) || typeof mapping !== 'object' || mapping === null)
    throw new AttributeError(`'${typeName(mapping)}' object has no attribute 'keys'`)
  const prefix = keys.prefix(keyPrefix, 'setMulti')
  const refused: K[] = []
  const troubles: unknown[] = []
  const prepared: Planned<K>[] = []
  const entries = entriesOf(mapping as ReadonlyMap<string, unknown>) as unknown as [K, unknown][]
  for (const [original, value] of entries) {
    const { wire, hash } = keys.one(original, 'setMulti', prefix)
    const exptime = commands.slots.exptime(timeOf(options as number), 'setMulti', wire)
    try {
      const encoded = commands.encode(value, compressionOf(options as number), 'setMulti', wire)
      prepared.push({ original, verb: 'set', key: wire, encoded, exptime, hash })
    } catch (error) {
      if (!(error instanceof ValueTooLong)) throw error
      refused.push(original)
    }
  }
  // First all keys to their servers, then everything at once: the order python-memcached works in.
  const servers = await pickAll(commands, 'setMulti', prepared, troubles)
  let served = 0
  const results = await Promise.all(
    prepared.map(async (one, index): Promise<'stored' | 'refused' | 'forgotten'> => {
      const server = servers[index]
      if (!server) return 'forgotten'
      served++
      try {
        return (await commands.storeOn(server, one, 'setMulti', modes)) ? 'stored' : 'refused'
      } catch (error) {
        if (!(error instanceof MemcachedError)) throw error
        troubles.push(error)
        return answered(error) || transportKind(error) === 'closed' ? 'refused' : 'forgotten'
      }
    }),
  )
  prepared.forEach(({ original }, index) => {
    if (results[index] === 'refused') refused.push(original)
  })
  // Where no server took part at all, every key is listed, unless nobody waits for replies.
  const all = served === 0 && prepared.length > 0 && troubles.length > 0
  const listed = all ? (modes.noreply ? refused : entries.map(([key]) => key)) : refused
  announceTrouble(emulation, 'setMulti', troubles, `lists ${listed.length} keys`)
  return listed
}

/** The servers of keys, one after another as the probe loop marks servers dead; undefined where there is none. */
async function pickAll(
  { selection }: Commands,
  operation: Operation,
  keys: readonly { readonly key: Bytes; readonly hash?: bigint }[],
  troubles: unknown[],
): Promise<(Server | undefined)[]> {
  const servers: (Server | undefined)[] = []
  for (const { key, hash } of keys) {
    try {
      const picked = selection.pick(key, operation, hash)
      servers.push(picked instanceof Promise ? await picked : picked)
    } catch (error) {
      if (!(error instanceof MemcachedError)) throw error
      troubles.push(error)
      servers.push(undefined)
    }
  }
  return servers
}

function announceTrouble(
  emulation: Emulation,
  operation: Operation,
  troubles: readonly unknown[],
  compat: string,
): void {
  const [error] = troubles
  if (error === undefined || !emulation.announcer.active) return
  const server = error instanceof MemcachedError ? error.server : undefined
  emulation.announcer.announce('set-multi', { operation, server, compat, strict: raises(error), error })
}

/** Deletes on all servers at once. 1, or 0 after a reset or a timeout; missing keys and error replies change nothing. */
export async function deleteMulti(
  context: Context,
  given: KeysOf<unknown>,
  keyPrefix: unknown,
  time: Bytes | undefined,
  modes: Modes,
): Promise<boolean | 0 | 1> {
  const { emulation, commands, keys } = context
  const prefix = keys.prefix(keyPrefix, 'deleteMulti')
  const list = keyList(context, given, 'deleteMulti', 'keys must be a sequence, not a mapping')
  const wires = list.map((key) => keys.one(key, 'deleteMulti', prefix))
  let failed = false
  let missing = false
  const tail = emulation.on('errors') ? commands.slots.wire.deleteMultiTail : ''
  const remove = async ({ wire, hash }: { readonly wire: Bytes; readonly hash?: bigint }): Promise<void> => {
    const request = requests.remove(modes.namespace + wire, { time, tail, noreply: modes.noreply })
    try {
      const { reply, server } = await commands.line(request, 'deleteMulti', wire, modes, hash)
      if (!modes.noreply && !deleted(reply, wire, server)) missing = true
    } catch (error) {
      const kind = transportKind(error)
      const broken = kind === 'timeout' || kind === 'reset'
      const value = broken ? 0 : 1
      swallowed(emulation, 'errors', 'deleteMulti', wire, error, value)
      failed ||= broken
    }
  }
  const legal = wires.filter(({ wire }) => wire !== '')
  if (legal.length < wires.length) missing = true
  if (emulation.on('errors')) await Promise.all(legal.map(remove))
  else for (const one of legal) await remove(one)
  if (!failed && missing && emulation.on('missing-delete')) {
    emulation.announcer.announce('missing-delete', {
      operation: 'deleteMulti',
      compat: '1',
      strict: 'False',
    })
    return emulation.on('return-values') ? 1 : true
  }
  return spelled(emulation, 'deleteMulti', undefined, !failed && !missing)
}

function deleted(reply: LineReply, key: Bytes, server: Server): boolean {
  return softOutcome(reply, 'deleteMulti', { key, server: server.name })
}
