// All set-up and all tests, from nothing but Node: dependencies, build, a real memcached, the real Python libraries
// where they can be had, then vitest. Arguments are handed to vitest.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureMemcached } from './memcached.mjs'
import { liveLibraries, pythonEnvironments } from './python.mjs'
import { ensureBuild, ensureDependencies, root } from './setup.mjs'

ensureDependencies()
ensureBuild()
const memcached = ensureMemcached()
console.log(`Real memcached: ${memcached.how}`)
console.log('Real Python libraries: preparing virtual environments …')
const python = pythonEnvironments()
console.log(
  python.skipped
    ? `Real Python libraries: live tests against them are SKIPPED in part or whole: ${python.skipped}`
    : `Real Python libraries: ${liveLibraries.join(', ')}`,
)

const cache = join(root, '.cache')
const results = join(cache, 'vitest.json')
const differential = join(cache, 'differential.jsonl')
mkdirSync(cache, { recursive: true })
rmSync(results, { force: true })
rmSync(differential, { force: true })

const vitest = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...python.env,
      ...(memcached.path ? { MEMSHIM_MEMCACHED: memcached.path } : {}),
      ...(python.skipped ? { MEMSHIM_PYTHON_SKIPPED: python.skipped } : {}),
    },
  },
)

if (existsSync(differential)) {
  console.log('\nRecordings of the real libraries checked:')
  const totals = new Map()
  for (const line of readFileSync(differential, 'utf8').trim().split('\n')) {
    const { library, mode, recordings, deviations } = JSON.parse(line)
    const row = totals.get(library) ?? {}
    row[mode] = recordings
    row.deviations = deviations
    totals.set(library, row)
  }
  for (const [library, row] of [...totals].sort()) {
    const documented = row.deviations > 0 ? ` (${row.deviations} with a documented deviation)` : ''
    const beyond = []
    if (row.facade) beyond.push(`${row.facade} live through compat with everything off`)
    if (row['out of step']) beyond.push(`${row['out of step']} out of step`)
    const counts = [`${row.replayed ?? 0} replayed`, `${row.live ?? 0} live`, ...beyond].join(', ')
    console.log(`  ${library.padEnd(24)} ${counts}${documented}`)
  }
}
if (python.skipped) console.log(`\nSkipped: live tests against the Python libraries (${python.skipped})`)
if (existsSync(results)) {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(results, 'utf8'))
  console.log(`\n${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`)
}
process.exit(vitest.status ?? 1)
