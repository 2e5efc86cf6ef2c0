// npm run reduce:check: reduces every finding of the shipped traces, and runs each repro.py on the real python-memcached and pylibmc. Prints how many lines
// each takes and what the libraries said; fails when one disagrees.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureBuild, fail, root } from '../setup.mjs'

const { values } = parseArgs({
  options: {
    'python-memcached': { type: 'string', default: process.env.MEMSHIM_PYTHON_MEMCACHED_159 },
    pylibmc: { type: 'string', default: process.env.MEMSHIM_PYTHON_PYLIBMC },
    out: { type: 'string', default: join(root, '.cache', 'reduced') },
  },
})
const pythons = { 'python-memcached': values['python-memcached'], pylibmc: values.pylibmc }
for (const [library, python] of Object.entries(pythons))
  if (!python) fail(`reduce:check needs --${library} with a Python that has it`)
ensureBuild()
const { audit, readTrace, reduce, reproPython } = await import('../../dist/audit/index.js')
rmSync(values.out, { recursive: true, force: true })
mkdirSync(values.out, { recursive: true })
const lines = []
let wrong = 0
const traces = join(root, 'fixtures', 'traces')
for (const file of readdirSync(traces)) {
  const trace = await readTrace(join(traces, file))
  const report = await audit(trace)
  for (const row of report.switches.filter(({ outcomes }) => outcomes > 0)) {
    const reduced = await reduce(trace, row.switch)
    lines.push(reduced.events.length)
    const path = join(values.out, `${file.split('.')[0]}-${row.switch}.py`)
    writeFileSync(path, reproPython(reduced))
    const said = Object.entries(pythons).map(([library, python]) => {
      const done = spawnSync(python, [path], { encoding: 'utf8', timeout: 60_000 })
      if (done.status === 0) return `${library} agrees`
      wrong++
      return `${library}: exit ${done.status} ${done.stdout}${done.stderr}`.trim()
    })
    console.log(
      `${file} ${row.switch}: ${reduced.events.length} of ${reduced.before} lines; ${said.join('; ')}`,
    )
  }
}
lines.sort((a, b) => a - b)
console.log(
  `median ${lines[Math.floor(lines.length / 2)]} lines, most ${lines.at(-1)}, over ${lines.length} findings`,
)
if (wrong > 0) fail(`${wrong} runs disagree`)
