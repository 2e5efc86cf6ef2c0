/** The operations that the matrix strikes, for each kind of client. */
import type { Client as CompatClient } from '../../src/compat/index.js'
import type { Client as StrictClient } from '../../src/strict/index.js'

export interface StruckOperation {
  readonly name: string
  readonly strict?: (client: StrictClient, unique: bigint) => Promise<unknown>
  readonly compat?: (client: CompatClient) => Promise<unknown>
}

export const warmValue = 'warm value'

export const operations: readonly StruckOperation[] = [
  { name: 'get', strict: (mc) => mc.get('k'), compat: (mc) => mc.get('k') },
  { name: 'gets', strict: (mc) => mc.gets('k'), compat: (mc) => mc.gets('k') },
  { name: 'getMulti', strict: (mc) => mc.getMulti(['k', 'n']), compat: (mc) => mc.getMulti(['k', 'n']) },
  { name: 'set', strict: (mc) => mc.set('k', 'new'), compat: (mc) => mc.set('k', 'new') },
  { name: 'add', strict: (mc) => mc.add('fresh', 'new'), compat: (mc) => mc.add('fresh', 'new') },
  { name: 'replace', strict: (mc) => mc.replace('k', 'new'), compat: (mc) => mc.replace('k', 'new') },
  { name: 'append', strict: (mc) => mc.append('k', 'new'), compat: (mc) => mc.append('k', 'new') },
  { name: 'prepend', strict: (mc) => mc.prepend('k', 'new'), compat: (mc) => mc.prepend('k', 'new') },
  { name: 'cas', strict: (mc, unique) => mc.cas('k', 'new', unique), compat: (mc) => mc.cas('k', 'new') },
  {
    name: 'setMulti',
    strict: (mc) => mc.setMulti({ k: 'a', l: 'b' }),
    compat: (mc) => mc.setMulti({ k: 'a', l: 'b' }),
  },
  { name: 'addMulti', strict: (mc) => mc.addMulti({ fresh: 'a', fresher: 'b' }) },
  { name: 'incr', strict: (mc) => mc.incr('n'), compat: (mc) => mc.incr('n') },
  { name: 'decr', strict: (mc) => mc.decr('n'), compat: (mc) => mc.decr('n') },
  { name: 'incrMulti', strict: (mc) => mc.incrMulti(['n']) },
  { name: 'delete', strict: (mc) => mc.delete('k'), compat: (mc) => mc.delete('k') },
  {
    name: 'deleteMulti',
    strict: (mc) => mc.deleteMulti(['k', 'n']),
    compat: (mc) => mc.deleteMulti(['k', 'n']),
  },
  { name: 'touch', strict: (mc) => mc.touch('k', 60), compat: (mc) => mc.touch('k', 60) },
  { name: 'flushAll', strict: (mc) => mc.flushAll(), compat: (mc) => mc.flushAll() },
  { name: 'getStats', strict: (mc) => mc.getStats(), compat: (mc) => mc.getStats() },
]
