// npm run bench:shadow [-- --rounds N]
// What shadow mode costs the process, in CPU time a get: the compat client alone, and with a strict client on the same server that
// repeats none, a tenth and all of its gets. Slices of each go around in turn. The last column is the part of it in the caller's
// own turn, for the gets that are repeated: the copy of the value. Prints the table of docs/performance-method.md.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from '../scripts/setup.mjs'
import { facts, makePlan, prepare, readOptions } from './harness/plan.mjs'
import { startServers } from './harness/servers.mjs'
import { table } from './report/report.mjs'
import { median } from './report/statistics.mjs'

const ROUNDS = 15
/** Seconds, of each client in each round. */
const SLICE = 0.2

const rows = [
  ['text of 100 B', 'x'.repeat(100)],
  ['text of 100 kB', 'x'.repeat(50_000) + 'y'.repeat(50_000)],
  ['bytes of 100 kB', Buffer.alloc(100_000, 'xy')],
  [
    '100 records of 5 fields',
    Array.from({ length: 100 }, (_, i) => ({ id: i, name: `n${i}`, price: 1.5, tags: 'a', stock: true })),
  ],
  ['list of 1999 integers', Array.from({ length: 1999 }, (_, i) => i)],
]

const { values } = readOptions()
const [memcached] = prepare({ rivals: false, memcached: values.memcached })
const plan = makePlan({ rounds: String(ROUNDS), ...values, only: [] }, memcached, [])
const door = (name) => import(pathToFileURL(join(root, 'dist', name, 'index.js')).href)
const [{ Client, ShadowedClient }, strict, { toTypedJson }] = await Promise.all(
  ['compat', 'strict', 'values'].map(door),
)
const { servers, stop } = await startServers(memcached, 1)

const shadowed = (sampleRate) => {
  const aside = new strict.Client(servers)
  return new ShadowedClient(servers, {}, aside, { sampleRate })
}
const clients = [new Client(servers), shadowed(0), shadowed(0.1), shadowed(1)]

/** Microseconds of this process a get; what is repeated is waited for. */
async function cpu(client) {
  const start = process.cpuUsage()
  const end = performance.now() + SLICE * 1000
  let count = 0
  while (performance.now() < end) {
    for (let i = 0; i < 10; i++) await client.get('k')
    count += 10
    await client.shadowIdle?.()
  }
  const { user, system } = process.cpuUsage(start)
  return (user + system) / count
}

function copying(value) {
  if (typeof value !== 'object') return 0
  const times = Array.from({ length: 300 }, () => {
    const start = performance.now()
    toTypedJson(value)
    return (performance.now() - start) * 1000
  })
  return median(times.slice(100))
}

const lines = []
for (const [name, value] of rows) {
  await clients[0].set('k', value)
  for (const client of clients) await cpu(client)
  const costs = clients.map(() => [])
  for (let round = 0; round < plan.rounds; round++)
    for (const [i, client] of clients.entries()) costs[i].push(await cpu(client))
  lines.push([name, ...costs.map((one) => median(one).toFixed(1)), copying(value).toFixed(1)])
}
const head = ['get of', 'not shadowed, µs', 'none repeated', 'a tenth', 'all', 'of that the copy']
console.log(facts({ ...plan, arrangement: `${plan.rounds} slices of ${SLICE} s for each client` }))
console.log(`\n${table(head, lines)}`)
stop()
process.exit(0)
