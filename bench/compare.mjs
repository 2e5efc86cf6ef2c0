// npm run bench:compare BASE [-- --quick] [--only TEXT]… [--party TEXT]… [--rounds N] [--seconds S] [--warmup S] [--out NAME]
// Measures this checkout beside the commit BASE in one interleaved run. Ends with 1 when a row costs more
// processor time. Only the first --memcached and --node count.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, root } from '../scripts/setup.mjs'
import { checkoutOf, removeCheckout } from './harness/checkout.mjs'
import { offered } from './harness/offered.mjs'
import { parties } from './harness/parties.mjs'
import { facts, isNamed, makePlan, nodes, prepare, readOptions } from './harness/plan.mjs'
import { runRounds } from './harness/rounds.mjs'
import { compareRow, comparison } from './report/comparison.mjs'

const { values, positionals } = readOptions(['BASE'])
const [memcached] = prepare({ rivals: false, memcached: values.memcached })
const base = checkoutOf(positionals[0])
process.once('exit', () => removeCheckout(base))

const rows = []
const plan = makePlan(values, memcached, await sides(), nodes(values)[0])
await runRounds({
  ...plan,
  finished: (row) => {
    rows.push(compareRow(row))
    plan.progress('')
    console.log(comparison(rows.slice(-1)))
  },
})
if (rows.length === 0) fail('none of the rows has a party that both versions offer')

const results = join(import.meta.dirname, 'results')
mkdirSync(results, { recursive: true })
const out = values.out ?? 'compare'
const heading = `base ${base.commit.slice(0, 12)} (${positionals[0]}) · ${facts(plan)}`
const report = `${heading}\n\n${comparison(rows)}\n`
writeFileSync(join(results, `${out}.md`), report)
writeFileSync(join(results, `${out}.json`), `${JSON.stringify({ heading, rows: rows.flat() }, null, 1)}\n`)
console.log(`\n${report}\nWritten to bench/results/${out}.md and .json`)
process.exitCode = rows.flat().some(({ slower, failed }) => slower || failed) ? 1 : 0

/** Our own parties that both versions offer, each twice: base and here are neighbours in every round. */
async function sides() {
  const ours = parties.filter((party) => party.kind === 'ours' && isNamed(party, values.party))
  const [there, here] = [offered(ours, base.path), offered(ours, root)]
  const both = here.parties.filter(({ name }) => there.parties.some((party) => party.name === name))
  if (both.length === 0) fail(`--party ${values.party.join(', ')} fits nobody that both versions offer`)
  return both.flatMap((party) => [
    { ...party, side: 'base', root: base.path },
    { ...party, side: 'here' },
  ])
}
