/** Methods and arguments that came with later versions, under the switch `version-surface`. Source: docs/reference/python-memcached.md#17. */

import type { Operation } from '../../pipeline/slots.js'
import { AttributeError } from '../../python/errors.js'
import { type Feature, has } from '../../rules/python-memcached.js'
import type { Emulation } from '../emulation/emulation.js'

const pythonNames = {
  gets: 'gets',
  cas: 'cas',
  touch: 'touch',
  resetCas: 'reset_cas',
  getSlabStats: 'get_slab_stats',
  quitAll: 'quit_all',
  checkKey: 'check_key',
} as const

function lacks(emulation: Emulation, feature: Feature): boolean {
  return emulation.on('version-surface') && !has(emulation.facts, feature)
}

/** @throws AttributeError when the version has no such method */
export function mustHave(emulation: Emulation, method: keyof typeof pythonNames): void {
  if (!lacks(emulation, method)) return
  emulation.announcer.heard?.announce('version-surface', {
    operation: method as Operation,
    compat: 'raises AttributeError',
    strict: method === 'quitAll' || method === 'resetCas' ? 'has disconnect_all' : 'has it',
  })
  throw missingMethod(pythonNames[method])
}

export function missingMethod(name: string): AttributeError {
  return new AttributeError(`'Client' object has no attribute '${name}'`)
}

/** @throws TypeError for an argument of get_stats up to 1.44 */
export function lacksStatsArgument(emulation: Emulation, argument: unknown): void {
  if (argument !== undefined && lacks(emulation, 'statsArgument'))
    throw new TypeError(`get_stats() takes no argument in python-memcached ${emulation.facts.version}`)
}

/** @throws TypeError for noreply before 1.55 */
export function lacksNoReply(emulation: Emulation): void {
  if (lacks(emulation, 'noreply'))
    throw new TypeError(`python-memcached ${emulation.facts.version} has no noreply`)
}

/** @throws TypeError for constructor arguments that the version does not have */
export function checkConstructor(emulation: Emulation): void {
  const { compressor, decompressor, keyEncoder } = emulation.options
  if ((compressor || decompressor) && lacks(emulation, 'compressor'))
    throw new TypeError(`python-memcached ${emulation.facts.version} has no compressor`)
  if (keyEncoder && lacks(emulation, 'keyEncoder'))
    throw new TypeError(`python-memcached ${emulation.facts.version} has no key_encoder`)
}
