/** pymemcache in a comparison: our clients made from a scenario's keywords, and Python's calls on them, as an audit replays them. */
import { checkTargetOptions, type TargetOptions } from '../audit/pymemcache/options.js'
import { PymemcacheSide } from '../audit/pymemcache/side.js'
import { PyFloat } from '../values/index.js'
import type { PlayedClient } from './play.js'

/**
 * One client is emulated for all versions; the signatures of its methods are those of the version.
 * @param keywords of the constructor, and `class`
 * @throws AuditOptionsError for a keyword whose value is not data
 */
export function pymemcachePlayer(
  version: string,
  addresses: readonly string[],
  keywords: Readonly<Record<string, unknown>>,
  now: () => number,
): PlayedClient {
  const options = Object.fromEntries(
    Object.entries(keywords).map(([name, value]) => [name, value instanceof PyFloat ? value.value : value]),
  ) as TargetOptions
  checkTargetOptions(options)
  const servers = { addresses, fault: unused, empty: unused, stop: unused }
  // The calls are pymemcache's own. With pymemcache as the source its side would expect the CAS uniques of a trace.
  const source = { name: 'python-memcached', version: '1.62' } as const
  const side = new PymemcacheSide({ name: 'pymemcache', version }, source, servers, options, { now }, false)
  const hashed = options.class === 'HashClient'
  side.create(
    'a',
    addresses.map((_, index) => ({ index, ...(hashed ? { name: nameInPlacement(index) } : {}) })),
    { kwargs: {} },
  )
  return {
    call: async (call) => (await side.run('a', call)).outcome,
    disconnectAll: () => side.close('a'),
  }
}

/** The names that python/parity/pymemcache_client.py gives to the servers. */
const nameInPlacement = (index: number): string => `server-${index}:11211`

const unused = async (): Promise<void> => {}
