// The versions of the measured software for the report.
import { spawnSync } from 'node:child_process'

/** The version that a program reports; empty when it does not run. */
export const versionOf = (program, args) =>
  spawnSync(program, args, { encoding: 'utf8' }).stdout?.trim() ?? ''

/** `memcached 1.6.18` */
export const memcachedVersion = (memcached) => versionOf(memcached, ['-V'])

/** `Node 20.19.0` */
export const nodeVersion = (node = process.execPath) => versionOf(node, ['--version']).replace('v', 'Node ')
