// Two versions of one party in the same rounds: the ratio of each round, and whether a row costs more processor time. Speed is shown
// and decides nothing: on a machine that others use it says more about them.
import { figure, inUnit, table } from './report.mjs'
import { median, speedOf } from './statistics.mjs'

// What counts: below it, neighbouring runs of one and the same build differ as well.
const DIFFERENCE = 0.1

/** @returns for each party of the row its speeds, and `ratio`: the median over the rounds of here ÷ base */
export function compareRow({ workload, cells }) {
  const heres = cells.filter(({ party }) => party.side === 'here')
  return heres.map((here) => {
    const base = cells.find(({ party }) => party.side === 'base' && party.name === here.party.name)
    const compared = { row: workload.name, unit: workload.unit, party: here.party.name }
    const failed = here.error ?? base.error
    if (failed) return { ...compared, failed: `${here.error ? 'here' : 'base'}: ${failed}` }
    const ratios = here.runs.map((run, round) => speedOf(run) / speedOf(base.runs[round]))
    const cost = here.runs.map((run, round) => run.cpu / base.runs[round].cpu)
    return {
      ...compared,
      base: median(base.runs.map(speedOf)),
      here: median(here.runs.map(speedOf)),
      ratio: median(ratios),
      cpu: median(cost),
      leastCpu: Math.min(...cost),
      mostCpu: Math.max(...cost),
      // Dearer in the middle and not cheaper in any round: noise swings to both sides.
      slower: median(cost) > 1 + DIFFERENCE && Math.min(...cost) > 1,
    }
  })
}

export function comparison(rows) {
  const head = [
    'row',
    'party',
    'base',
    'here',
    'speed, here ÷ base',
    'CPU, here ÷ base',
    'least–most',
    'outcome',
  ]
  const lines = rows.flat().map((row) => {
    if (row.failed) return [row.row, row.party, '', '', '', '', '', `fails, ${row.failed.slice(0, 160)}`]
    const speed = (value) => `${inUnit[row.unit](value)} ${row.unit}`
    return [
      row.row,
      row.party,
      speed(row.base),
      speed(row.here),
      figure(row.ratio),
      figure(row.cpu),
      `${figure(row.leastCpu)}–${figure(row.mostCpu)}`,
      row.slower ? '**dearer**' : row.cpu < 1 - DIFFERENCE && row.mostCpu < 1 ? 'cheaper' : 'same',
    ]
  })
  return table(head, lines)
}
