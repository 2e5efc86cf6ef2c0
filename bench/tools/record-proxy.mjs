// What the recording proxy costs a request of an application: node bench/tools/record-proxy.mjs [milliseconds of other work, default 20]
// A request is that much waiting for a database, and ten gets and a set of 1 KiB. Needs memcached and `npm run build`.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Client } from '../../dist/strict/index.js'

const work = Number(process.argv[2] ?? 20)
const port = 24_500 + (process.pid % 500) * 2
const memcached = process.env.MEMSHIM_MEMCACHED ?? 'memcached'
const user = process.getuid?.() === 0 ? ['-u', 'root'] : []
const server = spawn(memcached, ['-l', '127.0.0.1', '-p', String(port), '-U', '0', ...user])
const folder = mkdtempSync(join(tmpdir(), 'memshim-bench-'))
const command = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js')
const proxy = spawn(process.execPath, [
  command,
  'record',
  '--listen',
  `127.0.0.1:${port + 1}`,
  '--upstream',
  `127.0.0.1:${port}`,
  '--out',
  join(folder, 'app.jsonl'),
])
const requests = 100
const value = 'x'.repeat(1024)
try {
  await new Promise((resolve) => proxy.stderr.once('data', resolve))
  const ways = { direct: new Client([`127.0.0.1:${port}`]), proxied: new Client([`127.0.0.1:${port + 1}`]) }
  const times = { direct: [], proxied: [] }
  for (let i = 0; i < requests; i++) {
    // One after the other, so that both ways meet the same machine.
    for (const [way, client] of Object.entries(ways)) {
      const began = performance.now()
      await wait(work)
      for (let k = 0; k < 10; k++) await client.get(`key:${k}`)
      await client.set(`key:${i % 10}`, value)
      times[way].push(performance.now() - began)
    }
  }
  for (const client of Object.values(ways)) client.disconnectAll()
  const median = (list) => list.sort((a, b) => a - b)[list.length / 2]
  const [direct, proxied] = [median(times.direct), median(times.proxied)]
  console.log(`median of ${requests} requests with ${work} ms of other work and 11 commands:`)
  console.log(
    `direct ${direct.toFixed(2)} ms, through the recording proxy ${proxied.toFixed(2)} ms: ${((100 * (proxied - direct)) / direct).toFixed(1)} % more`,
  )
  console.log(`one command: ${((proxied - direct) / 11).toFixed(3)} ms more`)
} finally {
  proxy.kill('SIGTERM')
  server.kill()
  await wait(500)
  rmSync(folder, { recursive: true, force: true })
}
