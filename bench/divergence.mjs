// npm run bench:divergence [-- --rounds N] [--seconds S] [--warmup S]
// What divergence events cost when nobody listens: the compat client as shipped beside one that never asks, their slices alternating
// in one process (divergence-pairs.mjs). Writes bench/results/divergence.md; `node bench/document.mjs divergence` copies it into
// docs/performance.md.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../scripts/setup.mjs'
import { facts, makePlan, prepare, readOptions } from './plan.mjs'
import { inUnit, table } from './report.mjs'
import { pinning, startServers } from './servers.mjs'
import { median, medianInterval } from './statistics.mjs'
import { divergenceRows } from './workloads.mjs'

// Per process: how the engine happens to compile differs from one to the next.
const TURNS = 40

const { values } = readOptions()
const memcached = prepare({ rivals: false })
const plan = makePlan({ rounds: '6', seconds: '0.1', ...values }, memcached, [])
const silent = join(root, '.cache', 'bench-silent')
cpSync(join(root, 'dist'), join(silent, 'dist'), { recursive: true })

const head = ['row', 'without events', 'as shipped', 'shipped ÷ without', 'in 95 %', 'half of the turns']
const lines = []
for (const workload of divergenceRows) lines.push(await measured(workload))
const about = `${facts(plan)} · each process ${TURNS} turns of both`
const report = `${about}\n\n${table(head, lines)}\n`
const results = join(import.meta.dirname, 'results')
mkdirSync(results, { recursive: true })
writeFileSync(join(results, 'divergence.md'), report)
console.log(report)

async function measured(workload) {
  const fleet = await startServers(memcached, workload.servers)
  const pairs = []
  try {
    const job = { workload, servers: fleet.servers, shipped: root, silent, turns: TURNS }
    const { seconds: slice, warmup } = plan
    const command = [...pinning.client, process.execPath, join(import.meta.dirname, 'divergence-pairs.mjs')]
    for (let round = 0; round < plan.rounds; round++) {
      const [program, ...args] = [...command, JSON.stringify({ ...job, slice, warmup })]
      pairs.push(...JSON.parse(execFileSync(program, args, { encoding: 'utf8' })))
    }
  } finally {
    fleet.stop()
  }
  const ratios = pairs.map(([without, shipped]) => shipped / without).sort((a, b) => a - b)
  const at = (share) => ratios[Math.floor(share * (ratios.length - 1))].toFixed(3)
  const rate = (side) => `${inUnit[workload.unit](median(pairs.map((pair) => pair[side])))} ${workload.unit}`
  const [low, high] = medianInterval(ratios).map((value) => value.toFixed(3))
  return [
    workload.name,
    rate(0),
    rate(1),
    median(ratios).toFixed(3),
    `${low}–${high}`,
    `${at(0.25)}–${at(0.75)}`,
  ]
}
