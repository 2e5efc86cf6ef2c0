// Two versions of one party in the same rounds: the ratio of each round, and whether a row has become slower.
import { figure, inUnit, table } from './report.mjs'
import { median, speedOf } from './statistics.mjs'

// Loss that counts: below it, neighbouring runs of one and the same build differ as well.
const LOSS = 0.1

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
      least: Math.min(...ratios),
      most: Math.max(...ratios),
      cpu: median(cost),
      // Slower in the middle and not faster in any round: noise swings to both sides.
      slower: median(ratios) < 1 - LOSS && Math.max(...ratios) < 1,
    }
  })
}

export function comparison(rows) {
  const head = ['row', 'party', 'base', 'here', 'here ÷ base', 'least–most', 'CPU, here ÷ base', 'outcome']
  const lines = rows.flat().map((row) => {
    if (row.failed) return [row.row, row.party, '', '', '', '', '', `fails, ${row.failed.slice(0, 160)}`]
    const speed = (value) => `${inUnit[row.unit](value)} ${row.unit}`
    return [
      row.row,
      row.party,
      speed(row.base),
      speed(row.here),
      figure(row.ratio),
      `${figure(row.least)}–${figure(row.most)}`,
      figure(row.cpu),
      row.slower ? '**slower**' : row.ratio > 1 + LOSS && row.least > 1 ? 'faster' : 'same',
    ]
  })
  return table(head, lines)
}
