// npm run bench:audit [-- --operations N] [--threads 1|2]: what `memshim audit` takes for a long trace. Prints one line of JSON.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureBuild, root, run } from '../../scripts/setup.mjs'

const { values } = parseArgs({
  options: { operations: { type: 'string', default: '1000000' }, threads: { type: 'string', default: '2' } },
})
ensureBuild()
const folder = mkdtempSync(join(tmpdir(), 'memshim-bench-'))
try {
  const path = join(folder, 'trace.jsonl')
  // In a process of its own: its memory is not the audit's.
  run(process.execPath, [join(root, 'bench', 'tools', 'audit-trace.mjs'), path, values.operations])
  const bytes = statSync(path).size
  const cpu = process.cpuUsage()
  const start = performance.now()
  // The command runs in this process, so that its memory and its processor time are those of this process.
  const json = join(folder, 'report.json')
  process.argv.splice(
    2,
    process.argv.length,
    'audit',
    path,
    '--threads',
    values.threads,
    '--json',
    json,
    '--quiet',
  )
  await import('../../dist/cli/main.js')
  if (process.exitCode) throw new Error(`the audit ended with ${process.exitCode}`)
  const { totals } = JSON.parse(readFileSync(json, 'utf8'))
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
