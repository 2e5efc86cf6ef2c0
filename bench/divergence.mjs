// npm run bench:divergence [-- --rounds N] [--only PART-OF-A-ROW'S-NAME]
// The cost of divergence events without a listener, in CPU time per operation. Four clients run in each process (divergence-slices.mjs):
// two as shipped, two that never check for listeners. The claim compares the two kinds. The control compares one client of
// each kind with the other one of each kind, from the same slices: those are equal, so its distance from 1 is the
// arrangement's. Writes bench/results/divergence.md; `node bench/document.mjs divergence` copies it into docs/performance-method.md.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, root } from '../scripts/setup.mjs'
import { facts, isNamed, makePlan, prepare, readOptions } from './harness/plan.mjs'
import { pinning, startServers } from './harness/servers.mjs'
import { divergenceRows } from './harness/workloads.mjs'
import { figure, table } from './report/report.mjs'
import { balancedOrders, mean, meanInterval, median } from './report/statistics.mjs'

// The same client compiled anew differs by some 3 % from process to process, more than a process can be measured exactly: many
// short processes tell more than few long ones.
const ROUNDS = 24
const TURNS = 60
/** Operations. */
const SLICE = 500
const WARMUP = 20_000
const SHIPPED = [0, 2]
const SILENT = [1, 3]
/** Equal sides, one client of each kind. */
const CONTROL = [
  [2, 3],
  [0, 1],
]

const { values } = readOptions()
const [memcached] = prepare({ rivals: false, memcached: values.memcached })
const plan = makePlan({ rounds: String(ROUNDS), ...values, only: [] }, memcached, [])
const perClient = `after ${WARMUP} operations ${TURNS} slices of ${SLICE} operations for each client`
const arrangement = `${plan.rounds} processes a row, in each ${perClient}`
const clients = [0, 1, 2, 3].map((number) => ({
  root: copied(number),
  silent: SILENT.includes(number),
}))
const orders = balancedOrders(clients.length)

const head = [
  'row',
  'without events, µs',
  'as shipped, µs',
  'shipped ÷ without',
  'in 95 %',
  'control',
  'in 95 %',
]
const arranged = facts({ ...plan, arrangement })
const results = join(import.meta.dirname, 'results')
const file = join(results, 'divergence.md')
mkdirSync(results, { recursive: true })
const chosen = divergenceRows.filter((row) => isNamed(row, values.only))
if (chosen.length === 0) fail(`--only ${values.only.join(', ')} fits no row`)
// Written row by row, so that a run which is ended early keeps what it has.
for (const workload of chosen) {
  const before = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const [, , line] = table(head, [await measured(workload)]).split('\n')
  const lines = divergenceRows.map(({ name }) =>
    name === workload.name ? line : before.find((row) => row.startsWith(`| ${name} |`)),
  )
  const kept = lines.filter((row) => row !== undefined)
  writeFileSync(file, `${arranged}\n\n${[table(head, []), ...kept].join('\n')}\n`)
  console.log(line)
}

/** All from copies, so that the clients differ only in the modules' paths. */
function copied(number) {
  const to = join(root, '.cache', 'bench-divergence', String(number))
  rmSync(to, { recursive: true, force: true })
  cpSync(join(root, 'dist'), join(to, 'dist'), { recursive: true })
  return to
}

async function measured(workload) {
  const fleet = await startServers(memcached, workload.servers)
  const processes = []
  try {
    const job = { workload, servers: fleet.servers, clients, turns: TURNS, slice: SLICE, warmup: WARMUP }
    const command = [...pinning.client, process.execPath, join(import.meta.dirname, 'divergence-slices.mjs')]
    for (let round = 0; round < plan.rounds; round++) {
      const order = orders[round % orders.length]
      const [program, ...args] = [...command, JSON.stringify({ ...job, order })]
      processes.push(JSON.parse(execFileSync(program, args, { encoding: 'utf8' })))
    }
  } finally {
    fleet.stop()
  }
  const cost = (side) => figure(median(processes.flat().flatMap((turn) => side.map((i) => turn[i]))))
  return [
    workload.name,
    cost(SILENT),
    cost(SHIPPED),
    ...ratio(processes, SHIPPED, SILENT),
    ...ratio(processes, ...CONTROL),
  ]
}

/** Geometric mean over the processes, of which each counts once, and its interval: how the engine compiles differs by process. */
function ratio(processes, above, below) {
  const logs = (turn, side) => mean(side.map((i) => Math.log(turn[i])))
  const ratios = processes.map((turns) => median(turns.map((turn) => logs(turn, above) - logs(turn, below))))
  const text = (value) => Math.exp(value).toFixed(3)
  return [text(mean(ratios)), meanInterval(ratios).map(text).join('–')]
}
