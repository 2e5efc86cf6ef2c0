// From a running fleet to a decision, on real parts: Django on python-memcached 1.59, three memcacheds, load, packets and tracer; one server is
// killed and restarted; scan; audit; two findings are fixed; plan; the keys are moved; Django goes on with pylibmc, and the audit shows neither finding.
//
//   npm run build && node examples/fleet/story.mjs PYTHON [FOLDER]
//
// PYTHON is an interpreter that has Django 3.2 or 4.0, python-memcached 1.59 and pylibmc. memcached is MEMSHIM_MEMCACHED or the one on PATH. Packets are
// captured by tcpdump where that is allowed; elsewhere memshim's own proxy records. FOLDER keeps traces and reports.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { audit, plan, readTraces, renderHtml } from '../../dist/audit/index.js'
import { placements } from '../../dist/hashing/index.js'
import { recordPackets, recordProxy } from '../../dist/record/index.js'
import { scan } from '../../dist/scan/index.js'
import { Client } from '../../dist/strict/index.js'
import { rawEncoding } from '../../dist/values/index.js'

const [python, given] = process.argv.slice(2)
if (python === undefined)
  throw new Error('name an interpreter that has Django, python-memcached 1.59 and pylibmc')
const memcached = process.env.MEMSHIM_MEMCACHED ?? 'memcached'
const folder = given ?? mkdtempSync(join(tmpdir(), 'memshim-fleet-'))
mkdirSync(folder, { recursive: true })
const here = fileURLToPath(new URL('.', import.meta.url))
const say = (text) => console.log(text)
const running = new Set()

function start(command, args, options) {
  const child = spawn(command, args, options)
  running.add(child)
  child.on('exit', () => running.delete(child))
  child.on('error', () => running.delete(child))
  return child
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function startMemcached(port) {
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = start(memcached, ['-l', '127.0.0.1', '-p', String(port), '-U', '0', ...user], {
    stdio: 'ignore',
  })
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, '127.0.0.1')
    const there = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (there) return child
    await wait(50)
  }
  throw new Error(`${memcached} does not listen on ${port}`)
}

/** Packets of the servers, or a proxy before them. @returns the addresses for the application, and the end of the recording */
async function startRecording(ports, out) {
  const addresses = ports.map((port) => `127.0.0.1:${port}`)
  const library = { name: 'python-memcached', version: '1.59' }
  const capture = join(folder, 'fleet.pcap')
  const filter = `tcp and (${ports.map((port) => `port ${port}`).join(' or ')})`
  const tcpdump = start('tcpdump', ['-i', 'lo', '-U', '-s', '0', '-B', '8192', '-w', capture, filter], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const listening = await new Promise((resolve) => {
    tcpdump.stderr.on('data', (text) => String(text).includes('listening') && resolve(true))
    tcpdump.on('exit', () => resolve(false))
    tcpdump.on('error', () => resolve(false))
  })
  if (listening)
    return {
      how: 'packets',
      addresses,
      async end() {
        await wait(1000)
        tcpdump.kill('SIGINT')
        await once(tcpdump, 'exit')
        return recordPackets([{ name: capture, stream: createReadStream(capture) }], {
          out,
          servers: addresses,
          library,
        })
      },
    }
  const routes = ports.map((port) => ({
    listen: { transport: 'tcp', host: '127.0.0.1', port: 0 },
    upstream: { transport: 'tcp', host: '127.0.0.1', port },
  }))
  const proxy = await recordProxy({ out, routes, library })
  return {
    how: 'a proxy',
    addresses: proxy.addresses.map(({ host, port }) => `${host}:${port}`),
    end: () => proxy.close(),
  }
}

async function startShop(servers, library, trace, fixed) {
  const child = start(
    python,
    trace ? ['-m', 'memshim_tracer', join(here, 'shop.py')] : [join(here, 'shop.py')],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        ...process.env,
        PYTHONPATH: join(here, '..', '..', 'python'),
        PYTHONDONTWRITEBYTECODE: '1',
        PYTHONWARNINGS: 'ignore',
        SERVERS: servers.join(),
        LIBRARY: library,
        FIXED: fixed ? '1' : '0',
        ...(trace ? { MEMSHIM_TRACE: trace } : {}),
      },
    },
  )
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the application ended with code ${code} before it answered: see its error above`)
  })
  const [line] = await Promise.race([once(child.stdout, 'data'), ended])
  const { port } = JSON.parse(String(line))
  return {
    ask: async (path) => {
      const reply = await fetch(`http://127.0.0.1:${port}/${path}`)
      return reply.ok ? reply.json() : { failed: reply.status }
    },
    async end() {
      child.stdin.end()
      await once(child, 'exit')
    },
  }
}

/** Requests of every kind, four at a time. @returns how many failed, and how many pages were in the cache */
async function load(shop, requests, during) {
  const counts = { failed: 0, pages: 0, hits: 0 }
  let next = 0
  const worker = async () => {
    for (let i = next++; i < requests; i = next++) {
      const number = (i * 7919) % 60
      const answer = await shop.ask(
        i % 5 === 3 ? `count/${number}` : i % 5 === 4 ? `forget/${number}` : `product/${number}`,
      )
      if (answer.failed) counts.failed++
      else if ('hit' in answer) {
        counts.pages++
        if (answer.hit) counts.hits++
      }
      if (i % 100 === 0) await during?.(i)
    }
  }
  await Promise.all([worker(), worker(), worker(), worker()])
  return counts
}

const found = ({ switches }, name) => switches.find((row) => row.switch === name)?.count ?? 0
const findings = ['missing-counter', 'missing-argument']

try {
  const ports = [await freePort(), await freePort(), await freePort()]
  const servers = []
  for (const port of ports) servers.push(await startMemcached(port))

  say('1. Django on python-memcached 1.59 under load; one server is killed and restarted.')
  const wire = join(folder, 'packets.jsonl')
  rmSync(wire, { force: true })
  const recording = await startRecording(ports, wire)
  const before = join(folder, 'before.jsonl')
  let shop = await startShop(recording.addresses, 'memcache', before, false)
  const first = await load(shop, 500, async (i) => {
    if (i === 200) {
      servers[1].kill('SIGKILL')
      await once(servers[1], 'exit')
    }
    if (i === 300) servers[1] = await startMemcached(ports[1])
  })
  await shop.end()
  const summary = await recording.end()
  say(
    `   500 requests, ${first.failed} failed, ${first.hits} of ${first.pages} pages were in the cache; ${recording.how}: ${summary.written} commands`,
  )

  say('2. What is stored.')
  const addresses = ports.map((port) => `127.0.0.1:${port}`)
  const stored = await scan({ servers: addresses, rate: 0 })
  say(
    `   ${stored.items} items; written by ${stored.writers.map(({ writer, items }) => `${writer} (${items})`).join(', ')}`,
  )

  say('3. What would change with pylibmc.')
  const report = await audit(await readTraces([before]))
  writeFileSync(join(folder, 'before.html'), renderHtml(report))
  const packets = await audit(await readTraces([wire]))
  const { operations, same, unexplained } = report.totals
  say(
    `   tracer: ${operations} calls, ${same} the same, ${unexplained} unexplained; packets: ${packets.totals.operations} commands`,
  )
  for (const name of findings) {
    const { callSites = [], advice } = report.switches.find((row) => row.switch === name) ?? {}
    say(
      `   ${name}: ${found(report, name)} calls, at ${callSites.map(({ at }) => at.replace(/^.*\//, '')).join(', ')}\n     ${advice}`,
    )
  }
  for (const { server, from, to, confidence } of report.foundOutages)
    say(
      `   server ${server} was down from ${from.toFixed(1)} s to ${to.toFixed(1)} s (${confidence} confidence)`,
    )

  say('4. Both are fixed in the application, which still runs on python-memcached.')
  const between = join(folder, 'between.jsonl')
  shop = await startShop(addresses, 'memcache', between, true)
  await load(shop, 400)
  await shop.end()
  const fixed = await audit(await readTraces([between]))
  for (const name of findings) say(`   ${name}: ${found(report, name)} before, ${found(fixed, name)} now`)

  say('5. What moving the keys costs.')
  const placed = placements(ports.map((port) => ({ host: '127.0.0.1', port, weight: 1 })))
  const place = (name) => (key) => placed.find((one) => one.name === name).place(Buffer.from(key, 'latin1'))
  const planned = await plan(await readTraces([between]), {
    from: place('python-memcached-1.59'),
    to: place('pylibmc'),
    servers: 3,
  })
  for (const { way, extraCalls } of planned.ways) say(`   ${way}: ${extraCalls} more calls behind the cache`)

  say('6. The keys are moved, and Django goes on with pylibmc.')
  const moved = await moveKeys(addresses, place('pylibmc'))
  say(`   ${moved.moved} of ${moved.items} items are on another server now`)
  const after = join(folder, 'after.jsonl')
  shop = await startShop(addresses, 'pylibmc', after, true)
  const pages = new Set(Array.from({ length: 60 }, (_, i) => i))
  let hits = 0
  for (const number of pages) if ((await shop.ask(`product/${number}`)).hit) hits++
  const last = await load(shop, 300)
  await shop.end()
  say(
    `   ${hits} of the first ${pages.size} pages come from the cache that python-memcached filled; ${last.failed} of 300 requests failed`,
  )
  const raised = readFileSync(after, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"raises"')).length
  say(`   the trace of pylibmc has ${raised} calls that raised`)
  say(`Reports and traces: ${folder}`)
  const failed = last.failed + findings.reduce((sum, name) => sum + found(fixed, name), 0) + raised
  const seen = findings.every((name) => found(report, name) > 0)
  if (failed > 0 || !seen || hits === 0) {
    say('Something is not as it should be.')
    process.exitCode = 1
  }
} finally {
  for (const child of running) child.kill()
}

/** Each item to the server where pylibmc looks for it, with its flags, its bytes and the time that it has left. */
async function moveKeys(addresses, place) {
  const clients = addresses.map((address) => new Client([address], { encoding: rawEncoding }))
  const counts = { items: 0, moved: 0 }
  try {
    for (const [index, address] of addresses.entries())
      for (const { key, expires } of await listed(address)) {
        counts.items++
        const target = place(key)
        if (target === index) continue
        const name = Buffer.from(key, 'latin1')
        const item = await clients[index].get(name)
        if (item === undefined) continue
        const left = expires === undefined ? 0 : Math.max(1, expires - Math.floor(Date.now() / 1000))
        await clients[target].set(name, item, left)
        await clients[index].delete(name)
        counts.moved++
      }
    return counts
  } finally {
    for (const client of clients) client.disconnectAll()
  }
}

/** Keys and times of a server, by its own listing. */
async function listed(address) {
  const { MetadumpReader } = await import('../../dist/scan/index.js')
  const items = []
  const reader = new MetadumpReader(address, (item) => items.push(item))
  const [host, port] = address.split(':')
  const socket = connect(Number(port), host)
  socket.write('lru_crawler metadump all\r\n')
  for await (const chunk of socket) {
    reader.push(chunk)
    if (reader.ended) break
  }
  socket.destroy()
  return items
}
