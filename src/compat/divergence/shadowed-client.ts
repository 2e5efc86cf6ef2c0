/** A compat client whose operations a strict client repeats (shadow.ts). */
import type { EventEmitter } from 'node:events'
import { checkFunction, shown } from '../../ground/arguments.js'
import type { Key, Time } from '../../pipeline/methods/arguments.js'
import type { StoreVerb } from '../../protocol/wire.js'
import type { Client as StrictClient } from '../../strict/index.js'
import { Client } from '../client.js'
import type { ClientOptions } from '../emulation/emulation.js'
import {
  type CompatStoreArgument,
  type DeleteArgument,
  type GetMultiOptions,
  type NoReply,
  type TouchArgument,
  withoutNoReply,
} from '../methods/call-options.js'
import type { CompatKey, KeysOf } from '../methods/context.js'
import type { CompatServerInput } from '../policies/server-spec.js'
import { Shadow, type ShadowCounts } from './shadow.js'
import type { Latency } from './shadow-latency.js'
import type { Mismatch, ShadowOptions } from './shadow-options.js'
import { type ShadowState, type ShadowVerdict, verdictOf } from './shadow-verdict.js'

/** An argument that is passed to the strict client unchanged, which checks it by its own rules. */
const asked = <T>(value: unknown): T => value as T

/** A compat client whose calls are repeated on a second one, to compare outcomes (docs/migrating.md). */
export class ShadowedClient extends Client {
  declare private readonly shadow: Shadow

  /**
   * @param strict repeats the operations; it belongs to the caller, who closes it
   * @throws as Client; RangeError for shadow options out of range; TypeError for unknown ones, for hooks that are not functions, and when strict is not a client
   */
  constructor(
    servers: Iterable<CompatServerInput>,
    options: ClientOptions,
    strict: StrictClient,
    shadow?: ShadowOptions,
  ) {
    super(servers, options)
    if (typeof (strict as Partial<StrictClient> | null)?.getMulti !== 'function')
      throw new TypeError(`strict is ${shown(strict)}, not a client of memshim/strict`)
    const emitter = this as unknown as EventEmitter<{ mismatch: [Mismatch]; confirmed: [Mismatch] }>
    Object.defineProperty(this, 'shadow', { value: new Shadow(strict, emitter, shadow) })
  }

  /** Called with each mismatch; `memshim:mismatch` is the diagnostics channel of all clients. @returns how to stop @throws TypeError when it is not a function */
  onMismatch(listener: (mismatch: Mismatch) => void): () => void {
    checkFunction('listener', listener)
    const emitter = this as unknown as EventEmitter<{ mismatch: [Mismatch] }>
    emitter.on('mismatch', listener)
    return () => emitter.off('mismatch', listener)
  }

  /** Called with each mismatch that was found again in every confirmation; channel `memshim:confirmed-mismatch`. @returns how to stop @throws TypeError when it is not a function */
  onConfirmed(listener: (mismatch: Mismatch) => void): () => void {
    checkFunction('listener', listener)
    const emitter = this as unknown as EventEmitter<{ confirmed: [Mismatch] }>
    emitter.on('confirmed', listener)
    return () => emitter.off('confirmed', listener)
  }

  /** Everything counted so far, restarts included: plain JSON for the option `state` of the next process. */
  shadowState(): ShadowState {
    return this.shadow.state
  }

  /**
   * The verdict of the comparison for all operations, for a check before a deployment.
   * @param confidence above 0 and below 1; default 0.95 @throws RangeError for another one
   */
  shadowVerdict(confidence?: number): ShadowVerdict {
    return verdictOf(this.shadow.state, confidence)
  }

  /** The times of the compared operations on both sides, in milliseconds, since this client was made. */
  get shadowLatency(): { readonly compat: Latency; readonly strict: Latency } {
    return this.shadow.latency
  }

  get shadowCounts(): ShadowCounts {
    return this.shadow.counts
  }

  /** Resolves when every operation so far has been repeated or left out. */
  shadowIdle(): Promise<void> {
    return this.shadow.idle()
  }

  override get<T = unknown>(key: CompatKey, missing?: T): Promise<T | null | undefined> {
    return this.shadow.follow(
      'get',
      key,
      super.get(key, missing),
      () => (strict) => strict.get(asked(key), missing),
      () => super.get(key, missing),
    )
  }

  override getMulti<K extends CompatKey | number | bigint = string>(
    keys: KeysOf<K>,
    options: GetMultiOptions = {},
  ): Promise<Map<K, unknown>> {
    // Any other iterable can be read only once.
    const once = Symbol.iterator in Object(keys) && !(keys instanceof Map) && !Array.isArray(keys)
    const given = once ? [...(keys as Iterable<K>)] : keys
    let kept = given
    return this.shadow.follow(
      'getMulti',
      given,
      super.getMulti(given, options),
      () => {
        kept = Array.isArray(given) ? [...given] : given
        return (strict) => strict.getMulti(asked<Iterable<Key>>(kept), options)
      },
      () => super.getMulti(kept, options),
    )
  }

  override set(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.stored('set', super.set(key, value, options), key, value, options)
  }

  override add(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.stored('add', super.add(key, value, options), key, value, options)
  }

  override replace(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.stored('replace', super.replace(key, value, options), key, value, options)
  }

  override append(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.stored('append', super.append(key, value, options), key, value, options)
  }

  override prepend(key: CompatKey, value: unknown, options?: CompatStoreArgument): Promise<boolean | 0> {
    return this.stored('prepend', super.prepend(key, value, options), key, value, options)
  }

  private stored(
    verb: Exclude<StoreVerb, 'cas'>,
    primary: Promise<boolean | 0>,
    key: CompatKey,
    value: unknown,
    options: CompatStoreArgument | undefined,
  ): Promise<boolean | 0> {
    return this.shadow.follow(verb, key, primary, (keep) => {
      const kept = keep(value)
      return (strict) => strict[verb](asked(key), kept.again(), withoutNoReply(options))
    })
  }

  override incr(key: CompatKey, delta: unknown = 1, options?: NoReply): Promise<number | bigint | null> {
    return this.shadow.follow(
      'incr',
      key,
      super.incr(key, delta, options),
      () => (strict) => strict.incr(asked(key), asked(delta)),
    )
  }

  override decr(key: CompatKey, delta: unknown = 1, options?: NoReply): Promise<number | bigint | null> {
    return this.shadow.follow(
      'decr',
      key,
      super.decr(key, delta, options),
      () => (strict) => strict.decr(asked(key), asked(delta)),
    )
  }

  override delete(key: CompatKey, options?: DeleteArgument): Promise<boolean | 0 | 1> {
    return this.shadow.follow(
      'delete',
      key,
      super.delete(key, options),
      () => (strict) => strict.delete(asked(key)),
    )
  }

  override touch(key: CompatKey, time: TouchArgument = 0, options?: NoReply): Promise<boolean | 0 | 1> {
    return this.shadow.follow(
      'touch',
      key,
      super.touch(key, time, options),
      () => (strict) => strict.touch(asked(key), asked<Time>(time)),
    )
  }
}
