/** One minute of the chaos soak. More: npm run soak -- --minutes 30 --seed 7 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { memcachedBinary } from '../support/memcached.js'
import type { SoakReport } from './record.js'

const script = join(import.meta.dirname, '..', '..', 'scripts', 'proofs', 'soak.mjs')

test.skipIf(!memcachedBinary())(
  'a minute of killed, stopped and mute servers',
  { timeout: 240_000 },
  async () => {
    const run = promisify(execFile)(process.execPath, [script, '--minutes', '1', '--seed', '14'])
    const { stdout } = await run.catch((error: { stdout: string }) => error)
    const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as SoakReport
    expect(report.violations).toEqual([])
    expect(report.operations).toBeGreaterThan(1000)
    expect(Object.keys(report.faults).length).toBeGreaterThan(4)
  },
)
