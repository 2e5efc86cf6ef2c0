// One measurement in a process of its own: `node measure.mjs '<job as JSON>'` prints one line of JSON.
// Job: { module, root, protocol, workload, servers, pids, warmup, seconds }; times in seconds.
import { createHash } from 'node:crypto'
import { cpus } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isDeepStrictEqual } from 'node:util'
import { pythonItem, store } from '../items/python-items.mjs'
import { callers, tight } from './load.mjs'
import { keys as makeKeys, material } from './material.mjs'
import { machineCpu, serverCpu } from './system-cpu.mjs'

const job = JSON.parse(process.argv[2])
const { workload, servers } = job
// Milliseconds: the finest that the event loop's timers have, and what stands for "no delay" in ratios.
const DELAY_RESOLUTION = 1
const LEAST_DELAY = 0.05
// Where one operation takes longer than the timed seconds, so many are waited for, at most so many milliseconds.
const LEAST_OPERATIONS = 3
const PATIENCE = 20_000
const keys = makeKeys(workload.keys)
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

const measured = await (workload.kind === 'cold' ? cold() : workload.offline ? offline() : online())
// maxRSS is in kilobytes on every platform (libuv).
console.log(JSON.stringify({ ...measured, rss: process.resourceUsage().maxRSS * 1024 }))
process.exit(0)

async function online() {
  const party = await import(`./parties/${job.module}`)
  const load = party.pump ? await party.pump({ servers, workload, keys }) : await clientLoad(party)
  load.failed?.catch((error) => {
    console.error(error)
    process.exit(1)
  })
  await sleep(job.warmup)
  load.takeLatencies()
  const delay =
    workload.kind === 'delay' ? monitorEventLoopDelay({ resolution: DELAY_RESOLUTION }) : undefined
  delay?.enable()
  const [ops, cpu, server, machine, start] = [
    load.done(),
    process.cpuUsage(),
    serverCpu(job.pids),
    machineCpu(),
    performance.now(),
  ]
  await sleep(job.seconds)
  while (load.done() - ops < LEAST_OPERATIONS && performance.now() - start < PATIENCE) await sleep(0.01)
  const seconds = (performance.now() - start) / 1000
  const used = process.cpuUsage(cpu)
  const busy = used.user + used.system
  const done = load.done() - ops
  if (done === 0) throw new Error(`no operation finished in ${seconds} s`)
  const serverBusy = serverCpu(job.pids) - server
  // The share of the machine that others took meanwhile.
  const foreign = Math.max(0, machineCpu() - machine - busy - serverBusy) / 1e6 / seconds / cpus().length
  const latencies = load.takeLatencies()
  delay?.disable()
  await load.stop()
  return {
    ...rates(done, seconds, busy),
    ...(delay ? { ms: p99Delay(delay), perSecond: undefined } : {}),
    serverCpu: serverBusy / done,
    foreign,
    ...percentiles(latencies),
  }
}

/** The histogram holds the time between two turns of a timer, which is never below the timer's own. */
function p99Delay(delay) {
  return Math.max(delay.percentile(99) / 1e6 - DELAY_RESOLUTION, LEAST_DELAY)
}

async function clientLoad(party) {
  const client = await party.open({
    servers,
    values: workload.values,
    root: job.root,
    protocol: job.protocol,
  })
  await prepare(client)
  return callers(operation(client), workload.callers)
}

/** Stores what will be read, and reads it once to see that the client returns what went in. */
async function prepare(client) {
  const size = workload.size
  if (workload.kind === 'python') {
    const { item, value } = pythonItem(workload.item)
    await store(servers[0], keys, item)
    check(keys[0], plain(await client.get(keys[0])), value)
    return
  }
  // Some clients wait a Nagle delay for each turn.
  const together = Math.max(100, keys.length / 100)
  for (let from = 0; from < keys.length; from += together) {
    const some = keys.slice(from, from + together)
    await Promise.all(some.map((key, i) => client.set(key, material[workload.values](from + i, size))))
  }
  for (const index of [0, 1, keys.length - 1]) {
    check(keys[index], await client.get(keys[index]), material[workload.values](index, size))
  }
  if (workload.kind === 'getMulti') {
    const asked = keys.slice(0, workload.batch)
    const found = await client.getMulti(asked)
    for (const index of [0, asked.length - 1])
      check(asked[index], client.pick(found, asked[index], asked), material[workload.values](index, size))
  }
}

function check(key, actual, expected) {
  const right = Buffer.isBuffer(expected)
    ? Buffer.isBuffer(actual) && actual.equals(expected)
    : isDeepStrictEqual(actual, expected)
  if (!right)
    throw new Error(
      `wrong value for ${key}: ${String(JSON.stringify(actual)).slice(0, 200)} is not ${JSON.stringify(expected).slice(0, 200)}`,
    )
}

/** A value as JSON has it: clients differ in what they make of a dict (Map, object), and either is right. */
function plain(value) {
  return JSON.parse(
    JSON.stringify(value, (_, part) => {
      if (part instanceof Map) return Object.fromEntries(part)
      return typeof part === 'bigint' ? Number(part) : part
    }),
  )
}

function operation(client) {
  const count = keys.length
  // A handful of values made beforehand: making them is not the client's work.
  const values = Array.from({ length: 16 }, (_, i) => material[workload.values](i, workload.size))
  const get = (number) => client.get(keys[number % count])
  const set = (number) => client.set(keys[number % count], values[number & 15])
  switch (workload.kind) {
    case 'set':
      return set
    case 'touch':
      return (number) => client.touch(keys[number % count])
    case 'mixed':
      return (number) => (number % 10 === 0 ? set(number) : get(number))
    case 'getMulti': {
      const batches = Array.from({ length: Math.floor(count / workload.batch) }, (_, i) =>
        keys.slice(i * workload.batch, (i + 1) * workload.batch),
      )
      return (number) => client.getMulti(batches[number % batches.length])
    }
    default:
      return get
  }
}

async function cold() {
  const before = process.cpuUsage()
  const start = performance.now()
  const party = await import(`./parties/${job.module}`)
  const client = await party.open({ servers, values: 'text', root: job.root, protocol: job.protocol })
  await client.set(keys[0], 'cold')
  const value = await client.get(keys[0])
  const milliseconds = performance.now() - start
  const used = process.cpuUsage(before)
  check(keys[0], value, 'cold')
  return { ms: milliseconds, ops: 1, cpu: used.user + used.system }
}

async function offline() {
  const party = await import(`./parties/${job.module}`)
  const made = await party.openOffline({ servers, hash: workload.hash, root: job.root })
  if (workload.kind === 'ring') return timedRing(made.ring)
  const run = workload.kind === 'hash' ? made.hash : made.place
  const step = (number) => run(keys[number % keys.length])
  tight(step, job.warmup)
  const cpu = process.cpuUsage()
  const start = performance.now()
  const done = tight(step, job.seconds)
  const seconds = (performance.now() - start) / 1000
  const used = process.cpuUsage(cpu)
  const placed = workload.kind === 'place' ? { placed: placements(made) } : {}
  return { ...rates(done, seconds, used.user + used.system), ...placed }
}

/** A digest of where every key goes, for the report to compare: the same row must do the same work. */
function placements({ place, nameOf }) {
  const digest = createHash('sha256')
  for (const key of keys) digest.update(`${nameOf(place(key))}\n`)
  return digest.digest('hex')
}

/** Once warm: the median of at least five builds. */
function timedRing(build) {
  const times = []
  const until = performance.now() + (job.warmup + job.seconds) * 1000
  const cpu = process.cpuUsage()
  while (performance.now() < until || times.length < 5) {
    const start = performance.now()
    build()
    times.push(performance.now() - start)
  }
  const used = process.cpuUsage(cpu)
  const warm = times.slice(Math.floor(times.length / 3)).sort((a, b) => a - b)
  return {
    ms: warm[warm.length >> 1],
    ops: times.length,
    cpu: (used.user + used.system) / times.length,
  }
}

/** `cpu` in microseconds per operation; `busy` is the share of a core, which tells a starved run from a waiting one. */
function rates(done, seconds, busyMicroseconds) {
  return {
    ops: done,
    perSecond: done / seconds,
    cpu: busyMicroseconds / done,
    busy: busyMicroseconds / 1e6 / seconds,
  }
}

function percentiles(latencies) {
  if (latencies.length === 0) return {}
  const sorted = Float64Array.from(latencies).sort()
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  return { p50: at(0.5), p99: at(0.99) }
}
