// npm run bench:divergence [-- --rounds N] [--seconds S] [--warmup S]
// What divergence events cost when nobody listens: the compat client as shipped beside one that never asks, in one interleaved
// run. Writes bench/results/divergence.md; `node bench/document.mjs divergence` copies it into docs/performance.md.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../scripts/setup.mjs'
import { facts, makePlan, prepare, readOptions } from './plan.mjs'
import { inUnit, table } from './report.mjs'
import { runRounds } from './rounds.mjs'
import { median, medianInterval, speedOf } from './statistics.mjs'
import { divergenceRows } from './workloads.mjs'

// Two percent are not seen in five rounds.
const ROUNDS = '31'

const { values } = readOptions()
const memcached = prepare({ rivals: false })
const party = { kind: 'ours', root, can: () => true }
const parties = [
  { ...party, name: 'without events', module: 'memshim-compat-silent.mjs' },
  { ...party, name: 'as shipped', module: 'memshim-compat.mjs' },
]
const plan = { ...makePlan({ rounds: ROUNDS, ...values }, memcached, parties), workloads: divergenceRows }
const lines = []
await runRounds({ ...plan, finished: (row) => lines.push(line(row)) })
const head = ['row', 'without events', 'as shipped', 'speed, shipped ÷ without', 'CPU, shipped ÷ without']
const report = `${facts(plan)}\n\n${table(head, lines)}\n`
const results = join(import.meta.dirname, 'results')
mkdirSync(results, { recursive: true })
writeFileSync(join(results, 'divergence.md'), report)
console.log(`\n${report}`)

function line({ workload, cells: [without, shipped] }) {
  plan.progress('')
  const failed = without.error ?? shipped.error
  if (failed) return [workload.name, `fails: ${failed}`, '', '', '']
  const speeds = shipped.runs.map((run, round) => speedOf(run) / speedOf(without.runs[round]))
  const cost = shipped.runs.map((run, round) => run.cpu / without.runs[round].cpu)
  const rate = ({ runs }) => `${inUnit[workload.unit](median(runs.map(speedOf)))} ${workload.unit}`
  return [workload.name, rate(without), rate(shipped), ratio(speeds), ratio(cost)]
}

/** The median over the rounds, and the interval that holds it with 95 %. */
function ratio(all) {
  const [low, high] = medianInterval(all)
  return `${median(all).toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`
}
