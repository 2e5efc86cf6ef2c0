// npm run bench [-- --quick] [--only TEXT]… [--party TEXT]… [--rounds N] [--seconds S] [--warmup S] [--out NAME]
// Measures memshim beside its rivals and writes bench/results/NAME.md and NAME.json.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, root } from '../scripts/setup.mjs'
import { offered } from './offered.mjs'
import { parties } from './parties.mjs'
import { facts, isNamed, makePlan, prepare, readOptions } from './plan.mjs'
import { markdown, progressLine } from './report.mjs'
import { runRounds } from './rounds.mjs'
import { judge, median } from './statistics.mjs'

const { values } = readOptions()
const memcached = prepare({ rivals: true })
const plan = makePlan(values, memcached, await chosenParties())
const results = join(import.meta.dirname, 'results')
const name = values.out ?? 'latest'
const judged = []
mkdirSync(results, { recursive: true })
await runRounds({ ...plan, finished: keep })
console.log(`\n${report()}\nWritten to bench/results/${name}.md and .json`)

function report() {
  return markdown(judged, about())
}

function about() {
  const shares = judged.flatMap(({ summaries }) => summaries.flatMap(({ foreign }) => foreign ?? []))
  return facts(plan, median(shares))
}

/** Written row by row: a run that is cut short keeps what it has measured. */
function keep(row) {
  judged.push(judge(row))
  plan.progress('')
  console.log(progressLine(judged.at(-1)))
  writeFileSync(join(results, `${name}.md`), report())
  writeFileSync(
    join(results, `${name}.json`),
    `${JSON.stringify({ facts: about(), rows: judged }, null, 1)}\n`,
  )
}

async function chosenParties() {
  const named = parties.filter((party) => isNamed(party, values.party))
  if (named.length === 0) {
    fail(
      `--party ${values.party.join(', ')} fits nobody; parties: ${parties.map(({ name }) => name).join(' · ')}`,
    )
  }
  const able = offered(named, root)
  for (const { name, interpreter } of able.without) {
    console.log(
      interpreter
        ? `${name} is left out: ${interpreter} names no Python that has it`
        : `${name} is left out: this version has no such option`,
    )
  }
  return able.parties
}
