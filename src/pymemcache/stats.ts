/** pymemcache's conversion of statistics. Source: docs/reference/pymemcache.md#6.8. */
import type { Bytes } from '../ground/bytes.js'
import { bytesRepr } from '../python/repr.js'
import { pythonInteger } from '../values/encodings/integers.js'

/** An integer, a float, a flag, or bytes. */
export type StatValue = number | bigint | boolean | Buffer

const bytes = new Set(['version', 'inter', 'stat_key_prefix'])
const floats = new Set(['rusage_user', 'rusage_system', 'growth_factor'])
const flags = new Set([
  'hash_is_expanding', 'slab_reassign_running', 'detail_enabled', 'cas_enabled', 'maxconns_fast', 'slab_reassign', 'slab_automove',
]) // biome-ignore format: one list

export function statValue(name: Bytes, text: Bytes): StatValue {
  const data = Buffer.from(text, 'latin1')
  if (bytes.has(name)) return data
  if (name === 'auth_enabled_sasl') return text === 'yes'
  if (floats.has(name)) {
    const number = Number(name === 'growth_factor' ? text : text.replace(':', '.'))
    return text === '' || Number.isNaN(number) ? data : number
  }
  if (name === 'umask') return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : data
  try {
    const number = pythonInteger(data, bytesRepr)
    return flags.has(name) ? Number(number) !== 0 : number
  } catch {
    return data
  }
}
