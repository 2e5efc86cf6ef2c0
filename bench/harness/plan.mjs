// What run.mjs and compare.mjs share: the options, the rows they choose, how long each is measured, and what is
// installed for it.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus, loadavg, release, type } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureMemcached } from '../../scripts/memcached.mjs'
import { ensureBuild, ensureDependencies, fail, root, run } from '../../scripts/setup.mjs'
import { pinning } from './servers.mjs'
import { memcachedVersion, nodeVersion, versionOf } from './versions.mjs'
import { workloads } from './workloads.mjs'

const options = {
  quick: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] },
  party: { type: 'string', multiple: true, default: [] },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  warmup: { type: 'string' },
  out: { type: 'string' },
  memcached: { type: 'string', multiple: true, default: [] },
  node: { type: 'string', multiple: true, default: [] },
}

/** @returns `values` by name and `positionals`, of which exactly the named ones are taken */
export function readOptions(names = []) {
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true })
    if (positionals.length !== names.length) {
      throw new Error(`expected ${names.length > 0 ? names.join(' ') : 'no argument but options'}`)
    }
    return { values, positionals }
  } catch (error) {
    return fail(error.message)
  }
}

/** Installs the rivals and builds dist/ where that is missing. @returns the paths of the memcacheds to measure with */
export function prepare({ rivals, memcached = [] }) {
  // An interrupted run ends its servers as a finished one does.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130))
  // Only where nothing is installed. ensureDependencies compares file times, and in a worktree whose node_modules is a
  // link a fresh checkout looks newer: npm ci would then empty the directory behind the link.
  if (!existsSync(join(root, 'node_modules'))) ensureDependencies()
  ensureBuild()
  if (rivals && !existsSync(join(root, 'bench', 'node_modules'))) {
    console.log('Installing the rivals (npm ci in bench/) …')
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: join(root, 'bench'),
      shell: process.platform === 'win32',
    })
  }
  if (memcached.length > 0) return memcached.map((path) => checked('memcached', path, ['-V']))
  return [ensureMemcached().path ?? fail('the benchmark needs a memcached binary: set MEMSHIM_MEMCACHED')]
}

/** The programs that run the clients: this Node where none is named. */
export const nodes = ({ node }) =>
  node.length > 0 ? node.map((path) => checked('node', path, ['--version'])) : [process.execPath]

function checked(option, path, args) {
  if (versionOf(path, args) === '') fail(`--${option} ${path} is not a program that runs`)
  return path
}

/** Everything `runRounds` takes, with times in seconds. */
export function makePlan(values, memcached, parties, node = process.execPath) {
  return {
    memcached,
    node,
    workloads: chosenWorkloads(values),
    parties,
    rounds: number(values, 'rounds', values.quick ? 3 : 5),
    seconds: number(values, 'seconds', values.quick ? 0.3 : 1),
    warmup: number(values, 'warmup', 0.7),
    load: loadavg()[0],
    progress: (line) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${line}`),
  }
}

/** The commit that is measured; `-dirty` where files differ from it. */
const build = () =>
  spawnSync('git', ['describe', '--always', '--dirty', '--exclude=*'], {
    cwd: root,
    encoding: 'utf8',
  }).stdout?.trim()

/** One line about the machine and the run. */
export function facts({ memcached, node, rounds, seconds, warmup, load, arrangement }, foreign) {
  const pinned = pinning.client.length > 0 ? 'client and server on a core each' : 'not pinned to cores'
  return [
    `memshim ${build() || 'without a repository'}`,
    `${type()} ${release().split('-')[0]}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`,
    `${nodeVersion(node)}, ${memcachedVersion(memcached)}, ${pinned}`,
    arrangement ??
      `${rounds} interleaved rounds of ${seconds} s after ${warmup} s of warm-up, one process each`,
    `load of the machine before the run ${load.toFixed(2)}`,
    ...(foreign >= 0 ? [`others took ${Math.round(foreign * 100)} % of its cores (median)`] : []),
    `${new Date().toISOString().slice(0, 10)}`,
  ].join(' · ')
}

/** A part of the name, or the whole name behind a `=`. */
const fits = (name, part) => (part.startsWith('=') ? name === part.slice(1) : name.includes(part))

export const isNamed = ({ name }, parts) => parts.length === 0 || parts.some((part) => fits(name, part))

function number(values, name, otherwise) {
  const given = values[name]
  if (given === undefined) return otherwise
  const value = Number(given)
  if (!(value > 0) || (name === 'rounds' && !Number.isInteger(value)))
    fail(`--${name} ${given} is not a ${name === 'rounds' ? 'whole ' : ''}number above 0`)
  return value
}

function chosenWorkloads({ only, quick }) {
  const chosen =
    only.length > 0
      ? workloads.filter(({ name, group }) => only.some((part) => fits(name, part) || group === part))
      : workloads.filter((workload) => workload.quick || !quick)
  if (chosen.length === 0)
    fail(`--only ${only.join(', ')} fits no row; rows: ${workloads.map(({ name }) => name).join(' · ')}`)
  return chosen
}
