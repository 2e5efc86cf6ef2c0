/**
 * How pylibmc's behaviors decide a placement: libmemcached keeps a hash, a distribution and a hidden *weighted* flag, and
 * several behaviors switch more than one of them. Source: docs/reference/placement.md#2, docs/reference/pylibmc.md#9.2.
 */
import { checkArray, checkNumber, checkObject, checkText } from '../ground/arguments.js'
import type { HashName } from './hashes/hashes.js'
import type { Distribution, PlacedServer, PlacementSettings } from './placement.js'

/** The behaviors that matter for placement; absent = not set. */
export interface PlacementBehaviors {
  readonly hash?: HashName | undefined
  readonly ketama?: boolean | undefined
  readonly ketama_weighted?: boolean | undefined
  readonly distribution?: Distribution | undefined
}

/** libmemcached's placement without any behavior: hash `default`, distribution `modula`. */
export const DEFAULT_PLACEMENT: PlacementSettings = {
  hash: 'default',
  distribution: 'modula',
  weighted: false,
}

/** Applies behaviors in pylibmc's fixed order: hash, ketama, ketama_weighted, distribution. */
export function applyBehaviors(
  settings: PlacementSettings,
  behaviors: PlacementBehaviors,
): PlacementSettings {
  checkObject('settings', settings)
  checkObject('behaviors', behaviors)
  let { hash, distribution, weighted } = settings
  if (behaviors.hash !== undefined) hash = behaviors.hash
  if (behaviors.ketama !== undefined) {
    distribution = behaviors.ketama ? 'consistent ketama' : 'modula'
    if (behaviors.ketama) weighted = false
  }
  if (behaviors.ketama_weighted !== undefined) {
    if (behaviors.ketama_weighted) {
      hash = 'md5'
      distribution = 'consistent weighted'
      weighted = true
    } else {
      distribution = 'consistent ketama'
      weighted = false
    }
  }
  if (behaviors.distribution !== undefined) {
    distribution = behaviors.distribution
    if (distribution === 'consistent weighted') weighted = true
    else if (distribution === 'consistent' || distribution === 'consistent ketama') weighted = false
  }
  return { hash, distribution, weighted }
}

/**
 * The constructor applies behaviors first and adds servers afterwards: a server with a weight above 1 that joins a
 * continuum switches the flag on. Behaviors that are set later apply to the existing servers, and weights then count only
 * if a behavior says so.
 */
export function constructorSettings(
  behaviors: PlacementBehaviors,
  servers: readonly PlacedServer[],
): PlacementSettings {
  checkServers(servers)
  const settings = applyBehaviors(DEFAULT_PLACEMENT, behaviors)
  const weights = servers.some((server) => server.weight > 1)
  return isContinuum(settings.distribution) && weights ? { ...settings, weighted: true } : settings
}

/** A clone copies hash and distribution, and adds the servers again: only their weights set the flag (memcached_clone). */
export function cloneSettings(
  settings: PlacementSettings,
  servers: readonly PlacedServer[],
): PlacementSettings {
  checkObject('settings', settings)
  checkServers(servers)
  return { ...settings, weighted: servers.some((server) => server.weight > 1) }
}

/** Whether a distribution lays points of servers on a circle. */
export function isContinuum(distribution: Distribution): boolean {
  return distribution !== 'modula' && distribution !== 'random'
}

function checkServers(servers: readonly PlacedServer[]): void {
  checkArray('servers', servers)
  for (const [index, server] of servers.entries()) checkNumber(`servers[${index}].weight`, server?.weight)
}

/** Order of `_sort_hosts`: by host in byte order, then by port. Stable. */
export function sortServers<T extends { readonly host: string; readonly port: number }>(
  servers: readonly T[],
): T[] {
  checkArray('servers', servers)
  for (const [index, server] of servers.entries()) {
    checkText(`servers[${index}].host`, server?.host)
    checkNumber(`servers[${index}].port`, server.port)
  }
  return [...servers].sort(
    (a, b) => Buffer.compare(Buffer.from(a.host), Buffer.from(b.host)) || a.port - b.port,
  )
}
