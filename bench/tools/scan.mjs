// How long `memshim scan` takes for many keys, and in how much memory: node bench/tools/scan.mjs [keys, default 1000000]
// Needs memcached on the PATH (or MEMSHIM_MEMCACHED) and `npm run build`.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const keys = Number(process.argv[2] ?? 1_000_000)
const servers = 3
const memcached = process.env.MEMSHIM_MEMCACHED ?? 'memcached'
const first = 24_000 + (process.pid % 1000) * 4
const user = process.getuid?.() === 0 ? ['-u', 'root'] : []
const running = Array.from({ length: servers }, (_, i) =>
  spawn(memcached, ['-l', '127.0.0.1', '-p', String(first + i), '-U', '0', '-m', '1024', ...user]),
)
try {
  await wait(1000)
  const kinds = [
    [16, 'text of a page'],
    [4, '17'],
    [1, '\x80\x05]\x94.'],
    [0, 'bytes'],
  ]
  for (let server = 0; server < servers; server++) {
    const socket = connect(first + server, '127.0.0.1')
    await once(socket, 'connect')
    let batch = ''
    for (let i = server; i < keys; i += servers) {
      const [flags, value] = kinds[i % kinds.length]
      batch += `set app:${i % 50}:user:${i} ${flags} 3600 ${value.length} noreply\r\n${value}\r\n`
      if (batch.length < 64 * 1024 && i + servers < keys) continue
      if (!socket.write(batch, 'latin1')) await once(socket, 'drain')
      batch = ''
    }
    socket.write('version\r\n')
    await once(socket, 'data')
    socket.destroy()
  }
  const list = running.map((_, i) => `127.0.0.1:${first + i}`).join(',')
  for (const rate of ['100000', '0']) {
    const command = join(import.meta.dirname, '..', '..', 'dist', 'cli', 'main.js')
    const watch = `process.on('exit',()=>{const u=process.resourceUsage();process.stderr.write('peak '+u.maxRSS+' cpu '+(u.userCPUTime+u.systemCPUTime))})`
    const began = performance.now()
    const done = spawnSync(
      process.execPath,
      [
        '--import',
        `data:text/javascript,${encodeURIComponent(watch)}`,
        command,
        'scan',
        '--servers',
        list,
        '--rate',
        rate,
        '--json',
      ],
      { encoding: 'utf8', maxBuffer: 1e9 },
    )
    const seconds = (performance.now() - began) / 1000
    const peak = Number(/peak (\d+)/.exec(done.stderr)?.[1]) / 1024
    const cpu = Number(/cpu (\d+)/.exec(done.stderr)?.[1]) / 1e6
    const report = JSON.parse(done.stdout)
    console.log(
      `--rate ${rate}: ${report.items.toLocaleString('en')} items on ${servers} servers, ${report.sampled} values read: ${seconds.toFixed(1)} s (${cpu.toFixed(1)} s of processor time), ${peak.toFixed(0)} MiB at most`,
    )
  }
} finally {
  for (const server of running) server.kill()
}
