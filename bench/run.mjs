// npm run bench [-- --quick] [--memcached PATH]… [--node PATH]… [--only TEXT]… [--party TEXT]… [--rounds N] [--seconds S] [--warmup S]
// [--out NAME]
// Measures memshim beside its rivals and writes bench/results/NAME.md and NAME.json: with several servers or Nodes one of each for every
// pair, whose name ends with the versions.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, root } from '../scripts/setup.mjs'
import { offered } from './harness/offered.mjs'
import { parties } from './harness/parties.mjs'
import { facts, isNamed, makePlan, nodes, prepare, readOptions } from './harness/plan.mjs'
import { runRounds } from './harness/rounds.mjs'
import { memcachedVersion, nodeVersion } from './harness/versions.mjs'
import { markdown, progressLine } from './report/report.mjs'
import { judge, median } from './report/statistics.mjs'

const { values } = readOptions()
const servers = prepare({ rivals: true, memcached: values.memcached })
const pairs = nodes(values).flatMap((node) => servers.map((memcached) => ({ node, memcached })))
const results = join(import.meta.dirname, 'results')
mkdirSync(results, { recursive: true })
const chosen = await chosenParties()
for (const pair of pairs) {
  const name = nameOf(pair)
  const plan = makePlan(values, pair.memcached, chosen, pair.node)
  console.log(`\n${facts(plan)}\n`)
  await table(name, plan)
  console.log(`\nWritten to bench/results/${name}.md and .json`)
}

function nameOf({ node, memcached }) {
  const name = values.out ?? 'latest'
  if (pairs.length === 1) return name
  return `${name} ${memcachedVersion(memcached)} ${nodeVersion(node)}`.replaceAll(' ', '-')
}

/** Written row by row: a run that is cut short keeps what it has measured. */
async function table(name, plan) {
  const judged = []
  await runRounds({
    ...plan,
    finished: (row) => {
      judged.push(judge(row))
      const shares = judged.flatMap(({ summaries }) => summaries.flatMap(({ foreign }) => foreign ?? []))
      const about = facts(plan, median(shares))
      plan.progress('')
      console.log(progressLine(judged.at(-1)))
      writeFileSync(join(results, `${name}.md`), markdown(judged, about))
      writeFileSync(
        join(results, `${name}.json`),
        `${JSON.stringify({ facts: about, rows: judged }, null, 1)}\n`,
      )
    },
  })
}

async function chosenParties() {
  const invited = (party) => party.contender || !values.quick || values.party.length > 0
  const named = parties.filter((party) => invited(party) && isNamed(party, values.party))
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
