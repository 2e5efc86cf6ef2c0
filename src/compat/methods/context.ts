/** The context of all methods. */
import type { Bytes } from '../../ground/bytes.js'
import type { Key } from '../../pipeline/methods/arguments.js'
import type { Pipeline } from '../../pipeline/pipeline.js'
import type { Modes } from '../../pipeline/slots.js'
import type { Emulation } from '../emulation/emulation.js'
import type { Keys } from '../policies/keys.js'
import { lacksNoReply } from './surface.js'

/** A key, or python-memcached's `(hash, key)`: the hash then chooses the server. */
export type CompatKey = Key | readonly [hash: number | bigint, key: Key]

/** Many keys, or a mapping whose keys are meant. */
export type KeysOf<K> = Iterable<K> | ReadonlyMap<K, unknown> | Readonly<Record<string, unknown>>

export interface Context {
  readonly emulation: Emulation
  readonly pipeline: Pipeline
  readonly keys: Keys
  /** CAS uniques of gets, by key in its form on the wire. */
  readonly casIds: Map<Bytes, bigint>
  /**
   * Modes in which the pipeline turns errors into python-memcached's results itself. This saves one promise per call. Undefined where a
   * call may have to be repeated before its error counts.
   */
  readonly swallowing: Modes | undefined
}

/** @throws TypeError for noreply if the version does not have it */
export function modesFor(
  { emulation, pipeline }: Context,
  options?: unknown,
  modes = pipeline.slots.modes(),
): Modes {
  if (typeof options !== 'object' || options === null || !('noreply' in options)) return modes
  lacksNoReply(emulation)
  return options.noreply ? { ...modes, noreply: true } : modes
}
