// node scripts/proofs/shadow-planted.mjs [--reads N] [--every N]: whether shadow mode finds rare differences and takes no race for one, on real memcacheds.
// Reads of a strict client that has another value at one key of many, and reads beside another client that writes the same keys all the time.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ensureMemcached } from '../memcached.mjs'
import { ensureBuild, fail } from '../setup.mjs'

const { values } = parseArgs({
  options: { reads: { type: 'string', default: '200000' }, every: { type: 'string', default: '100000' } },
})
const reads = Number(values.reads)
const every = Number(values.every)
/** Every third of these is checked again for 40 ms. */
const racedReads = Math.min(reads, 20_000)
ensureBuild()
const { ShadowedClient } = await import('../../dist/compat/index.js')
const { Client } = await import('../../dist/strict/index.js')
const { path: memcached } = ensureMemcached()
if (!memcached) fail('shadow-planted needs a memcached binary: set MEMSHIM_MEMCACHED')

const running = []
async function started() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  running.push(spawn(memcached, ['-u', 'nobody', '-l', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' }))
  for (let i = 0; i < 200; i++) {
    const socket = connect(port, '127.0.0.1')
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (open) return `127.0.0.1:${port}`
    await wait(50)
  }
  throw new Error(`memcached did not start on port ${port}`)
}

/** @param key of the read with this number @returns what shadow mode says after all reads */
async function readThrough(server, aside, reads, key) {
  const strict = new Client([aside])
  const client = new ShadowedClient([server], { emulate: 'python-memcached-1.59' }, strict, {
    maxQueue: 1000,
  })
  const found = []
  client.onConfirmed((mismatch) => found.push(mismatch.key))
  const together = 200
  for (let from = 0; from < reads; from += together) {
    await Promise.all(
      Array.from({ length: Math.min(together, reads - from) }, (_, i) => client.get(key(from + i))),
    )
    await client.shadowIdle()
  }
  const state = client.shadowState()
  const { text } = client.shadowVerdict(0.95)
  client.disconnectAll()
  strict.disconnectAll()
  return { found, state, text }
}

try {
  const [server, aside] = [await started(), await started()]
  const [one, other] = [new Client([server]), new Client([aside])]
  const planted = Math.floor(reads / every)
  for (const client of [one, other]) {
    await client.set('same', 'value')
    for (let i = 0; i < planted; i++) await client.set(`planted:${i}`, client === one ? 'value' : 'other')
  }
  const key = (i) => (i % every === every - 1 ? `planted:${Math.floor(i / every)}` : 'same')
  const rare = await readThrough(server, aside, reads, key)
  console.log(`one difference in ${every} reads, ${planted} planted: ${rare.text}`)
  const found = new Set(rare.found)
  if (found.size !== planted) fail(`${found.size} of ${planted} planted differences were confirmed`)

  let writing = true
  let written = 0
  const writer = (async () => {
    for (; writing; written++) await one.set(`raced:${written % 50}`, written)
  })()
  const raced = await readThrough(server, server, racedReads, (i) => `raced:${i % 50}`)
  writing = false
  await writer
  console.log(`${written} writes beside the reads: ${raced.state.races} races; ${raced.text}`)
  if (raced.state.confirmed > 0) fail('a race was taken for a difference')
  one.disconnectAll()
  other.disconnectAll()
} finally {
  for (const child of running) child.kill()
}
