// What the report says about the software that was measured.
import { spawnSync } from 'node:child_process'

/** `memcached 1.6.18` */
export function memcachedVersion(memcached) {
  return spawnSync(memcached, ['-V'], { encoding: 'utf8' }).stdout.trim()
}
