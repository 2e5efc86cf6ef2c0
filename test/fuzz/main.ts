/** The fuzzer: mutated recordings for every target, with a limit on the time of each input. Run by scripts/proofs/fuzz.mjs. */
import { parseArgs } from 'node:util'
import { Random } from '../soak/random.js'
import { mutated } from './mutate.js'
import { kept } from './samples.js'
import { targets } from './targets.js'

/** Milliseconds of processor time; a busy machine does not count. */
const longest = 3000

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
})
const runs = Number(values.runs)
const seed = Number(values.seed)
if (!(Number.isInteger(runs) && runs > 0 && Number.isInteger(seed) && seed >= 0)) {
  process.stderr.write('--runs and --seed: whole numbers are needed\n')
  process.exit(2)
}
const chosen = targets.filter(({ name }) => values.only === undefined || name === values.only)
if (chosen.length === 0) {
  process.stderr.write(`--only ${values.only}: choose one of ${targets.map(({ name }) => name).join(', ')}\n`)
  process.exit(2)
}

const random = new Random(seed)
const inputs = new Map(chosen.map((target) => [target, [...target.samples(), ...kept(target.name)]]))
for (const [{ name }, from] of inputs)
  if (from.length === 0) throw new Error(`there is no sample for ${name}`)
const slowest = new Map<string, number>()
const faults = new Map<string, { count: number; first: object }>()
const counts = new Map<string, number>()

for (const target of chosen) for (const input of kept(target.name)) await run(target, input, -1)
for (let i = 0; i < runs; i++) {
  const target = chosen[i % chosen.length]!
  await run(target, mutated(inputs.get(target)!, random), i)
}

const report = {
  seed,
  runs,
  targets: Object.fromEntries(
    chosen.map(({ name }) => [
      name,
      { inputs: counts.get(name) ?? 0, slowest: `${Math.round(slowest.get(name) ?? 0)} ms` },
    ]),
  ),
  heap: `${Math.round(process.memoryUsage().heapUsed / 2 ** 20)} MiB`,
  faults: [...faults].map(([kind, { count, first }]) => ({ kind, count, first })),
}
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
process.exit(faults.size === 0 ? 0 : 1)

async function run(target: (typeof targets)[number], input: Buffer, index: number): Promise<void> {
  counts.set(target.name, (counts.get(target.name) ?? 0) + 1)
  const before = process.cpuUsage()
  try {
    await target.run(input, random)
  } catch (error) {
    found(target.name, error instanceof Error ? (error.stack ?? error.message) : String(error), input, index)
  }
  const { user, system } = process.cpuUsage(before)
  const took = (user + system) / 1000
  slowest.set(target.name, Math.max(slowest.get(target.name) ?? 0, took))
  if (took > longest) found(target.name, `took ${Math.round(took)} ms of processor time`, input, index)
}

/** One entry for each place that throws. */
function found(target: string, problem: string, input: Buffer, index: number): void {
  const [message = '', place = ''] = problem.split('\n')
  const kind = `${target}: ${message.slice(0, 160)} ${place.trim().replace(/.*[/\\]/, '')}`
  const known = faults.get(kind)
  if (known) known.count++
  else if (faults.size < 30)
    faults.set(kind, {
      count: 1,
      first: { run: index, input: input.toString('base64').slice(0, 2000), problem: problem.slice(0, 1200) },
    })
}
