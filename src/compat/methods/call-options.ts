/** The options of a call, checked by name before anything is sent. Source: the signatures of docs/reference/python-memcached.md#10. */

import { checkObject } from '../../ground/arguments.js'
import type { Key, StoreOptions, Time } from '../../pipeline/methods/arguments.js'
import { isPlain, ownOptions } from '../../python/options.js'
import { PyFloat, PyTimeDelta } from '../../values/index.js'
import type { Emulation } from '../emulation/emulation.js'

/** Option of the methods that change something; python-memcached has it from 1.55 on. */
export interface NoReply {
  /** Do not wait for the server: the command succeeds without a reply. */
  readonly noreply?: boolean
}

/** Options of a store method. `compressLevel` is pylibmc's, and only where values are encoded as pylibmc does. */
export type CompatStoreOptions = Pick<StoreOptions, 'time' | 'minCompressLen' | 'compressLevel'> & NoReply

/** The time in seconds, or options, of a store method. */
export type CompatStoreArgument = Time | CompatStoreOptions

/** Options of getMulti. */
export interface GetMultiOptions {
  readonly keyPrefix?: Key | undefined
}

/** The time in seconds, or options, of setMulti. */
export type MultiArgument = Time | (CompatStoreOptions & GetMultiOptions)

/** Options of deleteMulti; versions up to 1.59 send the time. */
export type DeleteMultiOptions = GetMultiOptions & NoReply & { readonly time?: number | null | undefined }

/** Where versions up to 1.59 have a time as second argument, later ones have noreply. */
export type DeleteArgument = number | (NoReply & { readonly time?: number | null | undefined })

/** The time in seconds, or options, of touch. */
export type TouchArgument = Time | null | (NoReply & { readonly time?: Time | null | undefined })

const names = {
  store: ['time', 'minCompressLen', 'noreply'],
  setMulti: ['time', 'keyPrefix', 'minCompressLen', 'noreply'],
  getMulti: ['keyPrefix'],
  deleteMulti: ['keyPrefix', 'time', 'noreply'],
  /** delete and touch. */
  timed: ['time', 'noreply'],
  count: ['noreply'],
  flushAll: ['time'],
} as const

/**
 * A copy of the options with their own properties only. A time instead of options, and undefined, are returned unchanged; a float
 * or timedelta of Python is a time.
 * @throws TypeError for an unknown name, with the right one if it can be guessed, and for any other object
 */
export function checkedOptions<O>(
  { rules }: Pick<Emulation, 'rules'>,
  kind: keyof typeof names,
  given: O,
): Exclude<O, object> | (O & object) {
  // A time may replace the options of the other methods; these two have no time.
  const noTime = kind === 'getMulti' || kind === 'deleteMulti'
  if (given !== undefined && (noTime || (kind === 'setMulti' && given === null)))
    checkObject('options', given)
  if (typeof given !== 'object' || given === null) return given as Exclude<O, object>
  if (!noTime && (given instanceof PyFloat || given instanceof PyTimeDelta)) return { time: given } as never
  const storing = kind === 'store' || kind === 'setMulti'
  const known =
    storing && rules.encoding !== 'python-memcached' ? [...names[kind], 'compressLevel'] : names[kind]
  return ownOptions(given, known) as O & object
}

/** Options that a method of pylibmc takes as well: it has no noreply. */
export function withoutNoReply<O>(given: O): O {
  if (!isPlain(given) || !('noreply' in given)) return given
  const { noreply: _, ...rest } = given as NoReply & object
  return rest as O
}
