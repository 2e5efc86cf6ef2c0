/** A client with python-memcached's placement and pylibmc's outcomes. */

import {
  Client,
  type ClientOptions,
  type CompatServerInput,
  type SwitchName,
  type SwitchSetting,
  switchNames,
} from '../compat/index.js'
import { checkObject } from '../ground/arguments.js'

/** Options of the old side. */
export interface OldSideOptions extends Omit<ClientOptions, 'switches'> {
  /** Also python-memcached's failover: keys of a dead server move to the next one. Default true. */
  readonly failover?: boolean | undefined
}

/**
 * A compat client with every switch off except those that decide the server of a key.
 * @param servers with weights, as the Python fleet has them
 * @throws as the compat client's constructor
 */
export function oldSide(servers: Iterable<CompatServerInput>, settings: OldSideOptions = {}): Client {
  checkObject('settings', settings)
  const { failover = true, ...options } = settings
  const kept: readonly SwitchName[] = failover ? ['hashing', 'failover', 'probe-limit'] : ['hashing']
  const setting = (name: SwitchName): SwitchSetting => (kept.includes(name) ? 'python-memcached' : 'pylibmc')
  const switches = Object.fromEntries(switchNames.map((name) => [name, setting(name)]))
  return new Client(servers, { cacheCas: true, ...options, switches })
}
