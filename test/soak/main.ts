/**
 * The chaos soak: real memcacheds are killed, stopped, slowed down and cut off while every kind of client works on them, and a checker
 * holds every answer against what may be there. Loopback only; ends by itself. Run by scripts/proofs/soak.mjs with `--expose-gc`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { KeyModel } from './checker.js'
import { SoakServer, strike } from './fleet.js'
import { load } from './load.js'
import { parties } from './parties.js'
import { Random } from './random.js'
import { Record } from './record.js'
import { watchWire } from './wire.js'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '1' }, seed: { type: 'string', default: '1' } },
})
const minutes = number('--minutes', values.minutes, 24 * 60)
const seed = number('--seed', values.seed, 2 ** 32 - 1)

const serverCount = 3
const tasks = 4
/** MiB that the heap may grow by after the first quarter. */
const mostGrowth = 16

const record = new Record()
process.on('unhandledRejection', (error) =>
  record.violation('process', `unhandled rejection: ${String(error)}`),
)
process.on('uncaughtException', (error) => record.violation('process', `uncaught exception: ${error.stack}`))

const servers = await Promise.all(Array.from({ length: serverCount }, () => SoakServer.start()))
const keys = new Map<string, KeyModel>()
watchWire(keys, new Set(servers.map(({ port }) => port)), (problem) => record.violation('wire', problem))
const { all, nextPhase } = parties(servers.map((server) => server.address))
const started = performance.now()
const end = started + minutes * 60_000
const random = new Random(seed)
const seeds = () => new Random(random.below(2 ** 32))

const work = all.flatMap((party) =>
  Array.from({ length: tasks }, (_, task) => load(party, task, servers, seeds(), end, record, keys)),
)
await Promise.all([
  ...work,
  strike(servers, seeds(), end - 2000, (kind) => record.fault(kind)),
  phases(),
  memory(),
])
for (const party of all) party.stop()
await Promise.all(servers.map((server) => server.stop()))
await nothingLeft()

const report = record.report(seed, Math.round((performance.now() - started) / 100) / 10)
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
process.exit(report.violationsInAll === 0 ? 0 : 1)

async function phases(): Promise<void> {
  while (performance.now() < end) {
    await sleep(Math.min(7000, Math.max(0, end - performance.now())))
    await nextPhase(performance.now() > started + (end - started) * 0.85)
  }
}

async function memory(): Promise<void> {
  const samples = 8
  for (let i = 1; i <= samples; i++) {
    await sleep(Math.max(0, started + ((end - started) * i) / samples - performance.now()))
    globalThis.gc?.()
    record.heap.push(Math.round((process.memoryUsage().heapUsed / 2 ** 20) * 10) / 10)
  }
  const [first, last] = [record.heap[1]!, record.heap.at(-1)!]
  if (last - first > mostGrowth) record.violation('process', `the heap grew from ${first} to ${last} MiB`)
}

async function nothingLeft(): Promise<void> {
  const sockets = () => process.getActiveResourcesInfo().filter((kind) => /^(TCP|TLS|Connect)/.test(kind))
  for (let tries = 0; tries < 100 && sockets().length > 0; tries++) await sleep(50)
  if (sockets().length > 0) record.violation('process', `left behind: ${sockets().join(', ')}`)
}

function number(option: string, text: string, most: number): number {
  const value = Number(text)
  if (value > 0 && value <= most) return value
  process.stderr.write(`${option} ${text}: a number above 0, at most ${most}, is needed\n`)
  process.exit(2)
}
