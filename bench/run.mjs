// npm run bench [-- --quick] [--only TEXT]… [--party TEXT]… [--rounds N] [--seconds S] [--warmup S] [--out NAME]
// Measures memshim beside its rivals and writes bench/results/NAME.md and NAME.json.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, release, type } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureMemcached } from '../scripts/memcached.mjs'
import { ensureBuild, ensureDependencies, fail, root, run } from '../scripts/setup.mjs'
import { parties } from './parties.mjs'
import { markdown, progressLine } from './report.mjs'
import { runRounds } from './rounds.mjs'
import { pinning } from './servers.mjs'
import { judge } from './statistics.mjs'
import { memcachedVersion } from './versions.mjs'
import { workloads } from './workloads.mjs'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    party: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    warmup: { type: 'string' },
    out: { type: 'string', default: 'latest' },
  },
})

const here = import.meta.dirname
// Only where nothing is installed. ensureDependencies compares file times, and in a worktree whose node_modules is a link
// a fresh checkout looks newer: npm ci would then empty the directory behind the link.
if (!existsSync(join(root, 'node_modules'))) ensureDependencies()
ensureBuild()
if (!existsSync(join(here, 'node_modules'))) {
  console.log('Installing the rivals (npm ci in bench/) …')
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: here,
    shell: process.platform === 'win32',
  })
}

const memcached = ensureMemcached().path ?? fail('the benchmark needs a memcached binary: set MEMSHIM_MEMCACHED')
const plan = {
  memcached,
  workloads: chosenWorkloads(),
  parties: chosenParties(),
  rounds: number('rounds', options.quick ? 3 : 5),
  seconds: number('seconds', options.quick ? 0.5 : 1),
  warmup: number('warmup', options.quick ? 0.4 : 0.7),
  progress: (line) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${line}`),
  finished: (row) => {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    console.log(progressLine(judge(row)))
  },
}

const loadBefore = loadavg()[0]
const judged = (await runRounds(plan)).map(judge)
const results = join(here, 'results')
mkdirSync(results, { recursive: true })
const report = markdown(judged, facts())
writeFileSync(join(results, `${options.out}.md`), report)
writeFileSync(join(results, `${options.out}.json`), `${JSON.stringify({ facts: facts(), rows: judged }, null, 1)}\n`)
console.log(`\n${report}\nWritten to bench/results/${options.out}.md and .json`)

function number(name, otherwise) {
  const given = options[name]
  if (given === undefined) return otherwise
  const value = Number(given)
  if (!(value > 0)) fail(`--${name} ${given} is not a number above 0`)
  return value
}

function chosenWorkloads() {
  const { only, quick } = options
  const chosen =
    only.length > 0
      ? workloads.filter(({ name, group }) => only.some((part) => name.includes(part) || group === part))
      : workloads.filter((workload) => workload.quick || !quick)
  if (chosen.length === 0)
    fail(`--only ${only.join(', ')} fits no row; rows: ${workloads.map(({ name }) => name).join(' · ')}`)
  return chosen
}

function chosenParties() {
  const named = parties.filter(
    ({ name }) => options.party.length === 0 || options.party.some((part) => name.includes(part)),
  )
  if (named.length === 0) {
    fail(`--party ${options.party.join(', ')} fits nobody; parties: ${parties.map(({ name }) => name).join(' · ')}`)
  }
  return named
    .map((party) => ({ ...party, root, python: party.interpreter && process.env[party.interpreter] }))
    .filter(({ name, interpreter, python }) => {
      if (interpreter && !python) console.log(`${name} is left out: ${interpreter} names no Python that has it`)
      return !interpreter || python
    })
}

function facts() {
  const pinned = pinning.client.length > 0 ? 'client and server on a core each' : 'not pinned to cores'
  const { rounds, seconds, warmup } = plan
  return [
    `${type()} ${release().split('-')[0]}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`,
    `Node ${process.versions.node}, ${memcachedVersion(memcached)}, ${pinned}`,
    `${rounds} interleaved rounds of ${seconds} s after ${warmup} s of warm-up, one process each`,
    `load of the machine before the run ${loadBefore.toFixed(2)}`,
    `${new Date().toISOString().slice(0, 10)}`,
  ].join(' · ')
}
