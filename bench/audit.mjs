// npm run bench:audit [-- --operations N] [--threads 1|2]: what the audit of a long trace takes. Prints one line of JSON.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureBuild, root, run } from '../scripts/setup.mjs'

const { values } = parseArgs({
  options: { operations: { type: 'string', default: '1000000' }, threads: { type: 'string', default: '2' } },
})
ensureBuild()
const { audit, readTrace } = await import('../dist/audit/index.js')
const folder = mkdtempSync(join(tmpdir(), 'memshim-bench-'))
try {
  const path = join(folder, 'trace.jsonl')
  // In a process of its own: its memory is not the audit's.
  run(process.execPath, [join(root, 'bench', 'audit-trace.mjs'), path, values.operations])
  const bytes = statSync(path).size
  const cpu = process.cpuUsage()
  const start = performance.now()
  const { totals } = await audit(await readTrace(path), { threads: Number(values.threads) })
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const figures = {
    operations: totals.operations,
    traceMegabytes: Math.round(bytes / 1e6),
    threads: Number(values.threads),
    seconds: Number(seconds.toFixed(1)),
    cpuSeconds: Number(((user + system) / 1e6).toFixed(1)),
    operationsPerSecond: Math.round(totals.operations / seconds),
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
    loadOfTheMachine: Number(loadavg()[0].toFixed(1)),
  }
  console.log(JSON.stringify(figures))
} finally {
  rmSync(folder, { recursive: true })
}
