// node scripts/proofs/plan-check.mjs [--seconds N] [--servers N] [--seed N]: holds `memshim plan` against real memcacheds. A trace is made and run in real time, with every
// way to move, on servers of its own; the hit ratios must be within two points of the simulation's.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { ensureMemcached } from '../memcached.mjs'
import { ensureBuild, fail } from '../setup.mjs'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '40' },
    servers: { type: 'string', default: '3' },
    seed: { type: 'string', default: '7' },
  },
})
const seconds = Number(values.seconds)
const count = Number(values.servers)
ensureBuild()
const { plan, traceOf, ways } = await import('../../dist/audit/index.js')
const { placement, DEFAULT_PLACEMENT, pythonMemcachedPlacement } = await import('../../dist/hashing/index.js')
const { Client } = await import('../../dist/strict/index.js')
const { path: memcached } = ensureMemcached()
if (!memcached) fail('plan-check needs a memcached binary: set MEMSHIM_MEMCACHED')

const servers = Array.from({ length: count }, (_, i) => ({ host: `10.0.0.${i + 1}`, port: 11211, weight: 1 }))
const old = pythonMemcachedPlacement(
  servers.map(() => 1),
  'masked-one',
)
const next = placement(servers, DEFAULT_PLACEMENT)
const from = (key) => old.index(old.hash(key))
const to = (key) => next.place(key)

// Cache-aside with a few hot keys: what the application reads, and what it stores after a miss, as the simulation supposes it.
let state = Number(values.seed)
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}
const prefixes = ['user:', 'page:', 'list:']
const events = []
const stored = new Map()
for (let i = 0; i < seconds * 150; i++) {
  const t = i / 150
  const n = Math.floor(400 * random() ** 2)
  const key = `${prefixes[n % 3]}${n}`
  const ttl = 8 + (n % 3) * 6
  const call = (name, args) =>
    events.push({ kind: 'call', line: events.length + 2, t, client: 'c', call: name, args, kwargs: {} })
  call('get', [key])
  if (random() < 0.03) {
    call('delete', [key])
    stored.delete(key)
  } else if ((stored.get(key) ?? -1) <= t) {
    call('set', [key, 'v'.repeat(50), ttl])
    stored.set(key, t + ttl)
  }
}
const header = { format: 'memshim-trace/1', library: 'python-memcached', version: '1.59', servers: count }
const trace = traceOf('plan-check', header, events)
const begin = seconds / 4
const hours = seconds / 2 / 3600
const planned = await plan(trace, { from, to, servers: count, begin, hours })

const fleets = []
try {
  const measured = await Promise.all(ways.map((way) => replay(way)))
  let worst = 0
  console.log('way          simulated  measured  difference (points)')
  planned.ways.forEach((way, i) => {
    const difference = 100 * Math.abs(way.hitRatio - measured[i])
    worst = Math.max(worst, difference)
    console.log(
      `${way.way.padEnd(12)} ${(100 * way.hitRatio).toFixed(2).padStart(8)}% ${(100 * measured[i]).toFixed(2).padStart(8)}%  ${difference.toFixed(2)}`,
    )
  })
  if (worst > 2) fail(`the worst differs by ${worst.toFixed(2)} points, more than 2`)
} finally {
  for (const child of fleets) child.kill()
}

async function replay(way) {
  const clients = await Promise.all(servers.map(startOne))
  const order = new Map()
  for (const { args } of events) {
    const prefix = args[0].slice(0, args[0].indexOf(':') + 1)
    order.set(prefix, (order.get(prefix) ?? 0) + 1)
  }
  const ordered = [...order].sort(([, a], [, b]) => a - b).map(([prefix]) => prefix)
  const stage = way.stage({ begin, end: begin + hours * 3600, prefixes: ordered, servers: count })
  const ttls = new Map()
  // A refill restarts the expiry time.
  const refilled = new Map()
  const left = (key, t) => Math.max(expiry(key, t), refilled.get(key) ?? 0) - t
  let [reads, hits] = [0, 0]
  const start = performance.now() + 200
  for (const { t, call, args } of events) {
    const wait = start + t * 1000 - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    const [key, , ttl] = args
    const [oldClient, newClient] = [clients[from(key)], clients[to(key)]]
    const where = from(key) === to(key) ? 'old' : stage({ key, oldServer: from(key) }, t)
    const targets = where === 'old' ? [oldClient] : where === 'new' ? [newClient] : [newClient, oldClient]
    const store = async (time) => {
      for (const client of targets) await client.set(key, 'v'.repeat(50), time)
    }
    if (call === 'set') {
      ttls.set(key, ttl)
      await store(ttl)
    } else if (call === 'delete') for (const client of targets) await client.delete(key)
    else {
      reads++
      let found
      for (const client of targets) found ??= await client.get(key)
      if (found !== undefined) {
        hits++
        // Found in the old placement alone: copied, with the time that it has left.
        if (where === 'both' && (await newClient.get(key)) === undefined)
          await newClient.set(key, found, Math.max(1, Math.round(left(key, t))))
      } else if (ttls.has(key)) await refill(key, t, store)
    }
  }
  for (const client of clients) client.disconnectAll()
  return hits / reads

  /** The application computes and stores again what only the move has lost: in a cache that is not moved the item would be there. */
  async function refill(key, t, store) {
    if (expiry(key, t) <= t) return
    refilled.set(key, t + ttls.get(key))
    await store(ttls.get(key))
  }
}

/** When the item would expire in a cache that is not moved: the last store of the trace, and no delete since. */
function expiry(key, t) {
  let expires = -1
  for (const event of events) {
    if (event.t >= t) break
    if (event.args[0] !== key) continue
    if (event.call === 'set') expires = event.t + event.args[2]
    if (event.call === 'delete') expires = -1
  }
  return expires
}

async function startOne() {
  const port = await freePort()
  const child = spawn(
    memcached,
    [
      '-p',
      String(port),
      '-l',
      '127.0.0.1',
      '-U',
      '0',
      '-m',
      '16',
      ...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []),
    ],
    {
      stdio: 'ignore',
    },
  )
  fleets.push(child)
  const client = new Client([`127.0.0.1:${port}`])
  for (let i = 0; i < 100; i++) {
    try {
      await client.get('k')
      return client
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  return fail('memcached does not answer')
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
