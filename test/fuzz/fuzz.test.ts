/** A short run of the fuzzer. More: npm run fuzz -- --runs 1000000 --seed 7 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const script = join(import.meta.dirname, '..', '..', 'scripts', 'proofs', 'fuzz.mjs')

test('34,000 mutated inputs for every parser and reader', { timeout: 240_000 }, async () => {
  const run = promisify(execFile)(process.execPath, [script, '--runs', '34000', '--seed', '14'])
  const { stdout } = await run.catch((error: { stdout: string }) => error)
  const report = JSON.parse(stdout.slice(stdout.indexOf('{')))
  expect(report.faults).toEqual([])
  for (const { inputs } of Object.values(report.targets) as { inputs: number }[])
    expect(inputs).toBeGreaterThan(1000)
})
