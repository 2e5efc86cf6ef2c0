// Compares the recorded versions of the libraries, as they are installed here, with memshim (`memshim parity`), and writes date and figures to
// test/parity/validations.json, from which docs/evidence/parity.md is made: `npm run parity:validate -- [--memcached PATH]… [library-version …]`.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureMemcached } from '../memcached.mjs'
import { ensureBuild, ensureDependencies, root } from '../setup.mjs'

ensureDependencies()
ensureBuild()
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { memcached: { type: 'string', multiple: true } },
})
const listing = spawnSync(
  process.env.MEMSHIM_PYTHON ?? 'python3',
  [join(root, 'fixtures', 'record', 'environments.py'), '--all'],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
)
const pythons = Object.entries(JSON.parse(listing.stdout)).filter(
  ([name]) =>
    /^(pylibmc|python-memcached|pymemcache)-/.test(name) &&
    (positionals.length === 0 || positionals.includes(name)),
)
const stray = positionals.filter((name) => !pythons.some(([one]) => one === name))
if (stray.length > 0) {
  console.error(
    `no environment of ${stray.join(', ')}; there are ${Object.keys(JSON.parse(listing.stdout)).join(', ')}`,
  )
  process.exit(2)
}
const file = join(root, 'test', 'parity', 'validations.json')
const keyOf = ({ library, version, protocol, server }) => [library, version, protocol, server].join(' ')
for (const memcached of values.memcached ?? [ensureMemcached().path])
  for (const [name, python] of pythons) {
    const library = name.replace(/-[\d.]+$/, '')
    const args = ['parity', '--python', python, '--library', library, '--memcached', memcached, '--json']
    const done = spawnSync(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], {
      encoding: 'utf8',
    })
    if (!done.stdout) throw new Error(`${name}: ${done.stderr}`)
    const rows = new Map(
      (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []).map((row) => [keyOf(row), row]),
    )
    for (const { library, version, protocol, server, scenarios, candidates, differences } of JSON.parse(
      done.stdout,
    )) {
      const row = {
        library,
        version,
        protocol,
        server,
        scenarios,
        agreed: candidates[0].agreed,
        preset: candidates[0].names,
      }
      const differing = differences.map(({ scenario }) => scenario)
      rows.set(keyOf(row), { ...row, differing, date: new Date().toISOString().slice(0, 10) })
      console.log(
        `${keyOf(row)}: ${row.agreed} of ${scenarios}${differing.length > 0 ? `; ${differing.join(', ')}` : ''}`,
      )
    }
    const lines = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => JSON.stringify(row))
    writeFileSync(file, `[\n${lines.join(',\n')}\n]\n`)
  }
