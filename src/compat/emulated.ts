/** The methods of a client of which at least one behaviour is emulated: where the families of methods meet. */

import type { Key, Time, TimeOptions } from '../pipeline/arguments.js'
import { timeOf } from '../pipeline/arguments.js'
import {
  type CompatStoreArgument,
  checkedOptions,
  type DeleteArgument,
  type DeleteMultiOptions,
  type GetMultiOptions,
  type MultiArgument,
  type NoReply,
  type TouchArgument,
  withoutNoReply,
} from './methods/call-options.js'
import { type CompatKey, type Context, type KeysOf, modesFor } from './methods/context.js'
import { count } from './methods/counters.js'
import { deleteMulti, missingSucceeds, remove } from './methods/removal.js'
import { get, getMulti, gets } from './methods/retrieval.js'
import { setMulti } from './methods/set-multi.js'
import { flushAll, getStats } from './methods/statistics.js'
import { cas, store } from './methods/storage.js'
import { touch } from './methods/touch.js'

/** What differs between a client that emulates something and one that is pylibmc's (everything-off.ts). */
export type Calls = Pick<Emulated, keyof Emulated>

export class Emulated {
  constructor(private readonly context: Context) {}

  get(key: CompatKey, missing: unknown): Promise<unknown> {
    return get(this.context, key, missing)
  }

  gets(key: CompatKey): Promise<unknown> {
    return gets(this.context, key)
  }

  async getMulti<K>(keys: KeysOf<K>, options: GetMultiOptions): Promise<Map<K, unknown>> {
    const { keyPrefix } = checkedOptions(this.context.emulation, 'getMulti', options)
    return getMulti(this.context, keys, keyPrefix)
  }

  set(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return store(this.context, 'set', key, value, options)
  }

  add(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return store(this.context, 'add', key, value, options)
  }

  replace(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return store(this.context, 'replace', key, value, options)
  }

  append(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return store(this.context, 'append', key, value, options)
  }

  prepend(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return store(this.context, 'prepend', key, value, options)
  }

  cas(
    key: CompatKey,
    value: unknown,
    unique?: bigint | CompatStoreArgument,
    options?: CompatStoreArgument,
  ): Promise<boolean | 0> {
    return cas(this.context, key, value, unique, options)
  }

  async setMulti<K>(
    mapping: ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>,
    options?: MultiArgument,
  ): Promise<K[]> {
    const { context } = this
    const { emulation, commands } = context
    const checked = checkedOptions(emulation, 'setMulti', options)
    if (emulation.rules.setMulti === 'all-servers')
      return setMulti(context, mapping, checked, modesFor(context, checked))
    return commands.setMulti(mapping as ReadonlyMap<Key, unknown>, withoutNoReply(checked)) as Promise<K[]>
  }

  incr(key: CompatKey, delta: unknown, options?: NoReply): Promise<number | bigint | null> {
    return count(this.context, 'incr', key, delta, options)
  }

  decr(key: CompatKey, delta: unknown, options?: NoReply): Promise<number | bigint | null> {
    return count(this.context, 'decr', key, delta, options)
  }

  delete(key: CompatKey, options?: DeleteArgument): Promise<boolean | 0 | 1> {
    return remove(this.context, key, options, this.context.emulation.rules.missingDelete === 1)
  }

  deleteExpecting(
    expected: Iterable<Key>,
    key: CompatKey,
    time?: Time | null,
    options?: NoReply,
  ): Promise<boolean | 0 | 1> {
    const argument = { ...options, time: time ? Number(time) : null }
    const { expectedReplies } = this.context.emulation.rules
    return remove(this.context, key, argument, expectedReplies && missingSucceeds(expected))
  }

  deleteMulti(
    keys: KeysOf<CompatKey | number | bigint>,
    options: DeleteMultiOptions,
  ): Promise<boolean | 0 | 1> {
    return deleteMulti(this.context, keys, options)
  }

  touch(key: CompatKey, time: TouchArgument, options?: NoReply): Promise<boolean | 0 | 1> {
    return touch(this.context, key, time, options)
  }

  async flushAll(time?: Time | TimeOptions): Promise<null | true> {
    const { emulation, commands } = this.context
    if (emulation.rules.failures === 'swallowed') {
      if (time !== undefined && timeOf(checkedOptions(emulation, 'flushAll', time)) !== 0)
        throw new TypeError('flush_all takes no time in python-memcached')
      await flushAll(this.context)
    } else await commands.flushAll(time)
    if (emulation.rules.results !== 'numbers') return true
    emulation.announcer.heard?.announce('return-values', {
      operation: 'flushAll',
      compat: 'None',
      strict: 'True',
    })
    return null
  }

  getStats(argument?: string): Promise<[server: string, stats: Record<string, string>][]> {
    const { emulation, commands } = this.context
    return emulation.rules.statistics === 'python-memcached'
      ? getStats(this.context, argument)
      : commands.getStats(argument)
  }

  hash(key: CompatKey): number {
    const { commands, keys } = this.context
    return commands.selection.place(keys.one(key, 'hash').wire)
  }
}
