// Random sequences on the real Python libraries (pylibmc, python-memcached, pymemcache) and our clients, as many as wanted: npm run fuzz:parity -- --runs 1000 --seed 7
// Random timelines of failing servers on pylibmc and strict: npm run fuzz:failover -- --runs 2000 --seed 7; those that agreed are written to
// a file with --record FILE.
// Further arguments go to vitest, e.g. `-t 1.59`. Failures are shrunk and printed as scenario files.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureMemcached } from '../memcached.mjs'
import { pythonEnvironments } from '../python.mjs'
import { ensureDependencies, root } from '../setup.mjs'

const { values, tokens } = parseArgs({
  options: {
    failover: { type: 'boolean' },
    record: { type: 'string' },
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
  },
  strict: false,
  tokens: true,
})
const own = new Set(['failover', 'record', 'runs', 'seed'])
const rest = tokens.flatMap((token) => {
  if (token.kind === 'positional') return [token.value]
  if (token.kind !== 'option' || own.has(token.name)) return []
  return token.value === undefined ? [token.rawName] : [token.rawName, token.value]
})
const runs = wholeNumber('runs', values.runs)
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : wholeNumber('seed', values.seed)

ensureDependencies()
const memcached = ensureMemcached()
const python = pythonEnvironments()
if (python.skipped) console.log(`Not compared: ${python.skipped}`)
console.log(`${runs} sequences for each library and kind, seed ${seed}`)
const which = values.failover
  ? ['test/parity/failover', '-t', 'random timelines']
  : ['test/parity', '--exclude', 'test/parity/failover/**']
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const { status } = spawnSync(process.execPath, [vitest, 'run', ...which, ...rest], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    ...python.env,
    ...(memcached.path ? { MEMSHIM_MEMCACHED: memcached.path } : {}),
    ...(values.failover
      ? {
          MEMSHIM_FUZZ_RUNS: String(runs),
          MEMSHIM_FUZZ_SEED: String(seed),
          MEMSHIM_FUZZ_RECORD: values.record ?? '',
        }
      : {}),
    MEMSHIM_PARITY_RUNS: String(runs),
    MEMSHIM_PARITY_SEED: String(seed),
  },
})
process.exit(status ?? 1)

function wholeNumber(name, text) {
  if (/^\d+$/.test(text)) return Number(text)
  console.error(`--${name} must be a whole number, not ${JSON.stringify(text)}`)
  process.exit(2)
}
