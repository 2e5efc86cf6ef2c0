// Runs Python's own test suites on memshim: `npm run suites -- [name …] [--python-memcached-git DIR] [--record]`. --record writes the figures to
// test/suites/figures.json, from which docs/evidence/parity.md is made.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureMemcached } from '../memcached.mjs'
import { ensureDependencies, root } from '../setup.mjs'

ensureDependencies()
const { runSuite, suites, Unavailable } = await import('../../test/suites/runner.mjs')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'python-memcached-git': { type: 'string' }, record: { type: 'boolean' } },
})
const chosen = suites.filter(
  ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
)
if (chosen.length === 0) {
  console.error(
    `no suite is named ${positionals.join(', ')}; there are ${suites.map(({ name }) => name).join(', ')}`,
  )
  process.exit(2)
}
const memcached = ensureMemcached().path
if (!memcached) {
  console.error('the suites need a memcached binary: set MEMSHIM_MEMCACHED, or put one on PATH')
  process.exit(2)
}
const settings = {
  python: process.env.MEMSHIM_PYTHON ?? 'python3',
  memcached,
  gitDirectory: values['python-memcached-git'],
}
const file = join(root, 'test', 'suites', 'figures.json')
let failed = false
for (const suite of chosen) {
  try {
    const row = await runSuite(suite, settings)
    const unexplained = row.differing.filter(({ why }) => why === undefined)
    if (unexplained.length > 0 || row.tests === 0) failed = true
    console.log(
      `${suite.name}: ${row.tests} tests, ${row.real} pass with the real library, ${row.memshim} with memshim (${row.calls} calls)`,
    )
    for (const { test, real, memshim, why } of row.differing)
      console.log(`  ${test}: real ${real}, memshim ${memshim}${why ? ` (${why})` : ''}`)
    if (values.record) record(row)
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error
    failed = true
    console.log(`${suite.name}: cannot be run here: ${error.message}`)
  }
}
process.exit(failed ? 1 : 0)

/** One line a suite, in the order of the table. */
function record({ calls: _, ...row }) {
  const rows = new Map(
    (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []).map((one) => [one.suite, one]),
  )
  rows.set(row.suite, { ...row, run: new Date().toISOString().slice(0, 10) })
  const lines = suites.flatMap(({ name }) => (rows.has(name) ? [JSON.stringify(rows.get(name))] : []))
  writeFileSync(file, `[\n${lines.join(',\n')}\n]\n`)
}
