/** Checks for methods and arguments of later versions, under the switch `version-surface`. Source: docs/reference/python-memcached.md#17. */

import type { Operation } from '../../pipeline/operations.js'
import { AttributeError } from '../../python/errors.js'
import { Raised } from '../divergence/divergence.js'
import type { Emulation } from '../emulation/emulation.js'

const methods = {
  gets: ['gets', 'hasGets'],
  cas: ['cas', 'hasCas'],
  touch: ['touch', 'hasTouch'],
  resetCas: ['reset_cas', 'hasResetCas'],
  getSlabStats: ['get_slab_stats', 'hasGetSlabStats'],
  quitAll: ['quit_all', 'hasQuitAll'],
  checkKey: ['check_key', 'hasCheckKey'],
} as const

/** @throws AttributeError when the version has no such method */
export function mustHave({ rules, announcer }: Emulation, method: keyof typeof methods): void {
  const [pythonName, fact] = methods[method]
  if (rules[fact]) return
  announcer.heard?.announce('version-surface', {
    operation: method as Operation,
    compat: new Raised('AttributeError'),
    strict: method === 'quitAll' || method === 'resetCas' ? 'has disconnect_all' : 'has it',
  })
  throw missingMethod(pythonName)
}

export function missingMethod(name: string): AttributeError {
  return new AttributeError(`'Client' object has no attribute '${name}'`)
}

/** @throws TypeError for an argument of get_stats up to 1.44 */
export function lacksStatsArgument({ rules }: Emulation, argument: unknown): void {
  if (argument !== undefined && !rules.hasStatsArgument)
    throw new TypeError(`get_stats() takes no argument in python-memcached ${rules.version}`)
}

/** @throws TypeError for noreply before 1.55 */
export function lacksNoReply({ rules }: Emulation): void {
  if (!rules.hasNoreply) throw new TypeError(`python-memcached ${rules.version} has no noreply`)
}

/** @throws TypeError for constructor arguments that the version does not have */
export function checkConstructor({ rules, options }: Emulation): void {
  const { compressor, decompressor, keyEncoder } = options
  if ((compressor || decompressor) && !rules.hasCompressor)
    throw new TypeError(`python-memcached ${rules.version} has no compressor`)
  if (keyEncoder && !rules.hasKeyEncoder)
    throw new TypeError(`python-memcached ${rules.version} has no key_encoder`)
}
