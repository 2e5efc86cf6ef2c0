/** The placement that a python-memcached fleet uses, behind pylibmc's outcomes. */

import {
  Client,
  type ClientOptions,
  type CompatServerInput,
  type SwitchName,
  type SwitchSetting,
  switchNames,
} from '../compat/index.js'
import { checkObject } from '../ground/arguments.js'

/** What is done with the old placement. */
export interface OldSideOptions extends Omit<ClientOptions, 'switches'> {
  /** Also python-memcached's way around dead servers: keys of a dead server go to the next one. Default true. */
  readonly failover?: boolean | undefined
}

/**
 * A compat client with every switch off but those that decide where a key is.
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
