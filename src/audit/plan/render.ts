/** A plan as text for a terminal. Pure. */

import { checkArray, checkMade } from '../../ground/arguments.js'
import { printable } from '../../ground/printable.js'
import type { Plan, WayResult } from './plan.js'

/** @param names of the servers, by index; default their numbers */
export function renderPlan(plan: Plan, names: readonly string[] = []): string {
  checkMade('plan', plan, 'plan()', ['trace', 'keys', 'ways'])
  checkArray('names', names)
  const { trace, keys, movedKeys, movedAccesses, begin, hours } = plan
  const lines = [
    `memshim plan: ${trace.name}`,
    '',
    `${number(movedKeys)} of ${number(keys)} keys move (${percent(movedKeys / Math.max(1, keys))}); they have ${percent(movedAccesses)} of the ${number(trace.accesses)} accesses.`,
    movedKeys === 0
      ? 'Nothing has to be moved: both placements put every key of this trace on the same server.'
      : `The move begins at ${duration(begin)} of the trace and takes ${duration(hours * 3600)}. Without it ${percent(plan.hitRatio)} of the reads hit.`,
  ]
  if (movedKeys > 0) {
    lines.push('', ...table(plan.ways), '')
    lines.push(
      'extra: reads that miss because of the move; settled: time until at most 1 % of the reads of a minute do;',
    )
    lines.push(
      'old quiet: time until no key is looked up in the old placement; doubled: the most bytes that both placements store.',
    )
    const lost = plan.ways.filter((way) => way.lostCounters > 0)
    for (const way of lost)
      lines.push(`${way.way}: ${number(way.lostCounters)} incr and decr lose their count.`)
  }
  lines.push('', 'Share of the accesses by server, before and after:')
  plan.load.before.forEach((before, index) => {
    const after = plan.load.after[index]!
    lines.push(
      `  ${(names[index] ?? `server ${index}`).padEnd(24)} ${percent(before).padStart(8)} ${percent(after).padStart(8)}`,
    )
  })
  const hot = plan.hotKeys.slice(0, 5)
  lines.push('', 'Keys that are used most:')
  for (const { key, accesses, before, after } of hot)
    lines.push(
      `  ${printable(key).slice(0, 40).padEnd(40)} ${percent(accesses / trace.accesses).padStart(8)}  ${before === after ? `server ${before}` : `server ${before} → ${after}`}`,
    )
  return `${lines.join('\n')}\n`
}

function table(ways: readonly WayResult[]): readonly string[] {
  const rows = [
    ['way', 'hit ratio', 'lowest', 'extra', 'peak/min', 'settled', 'old quiet', 'doubled'],
    ...ways.map((way) => [
      way.way,
      percent(way.hitRatio),
      percent(way.lowestHitRatio),
      number(way.extraCalls),
      number(way.peakExtraPerMinute),
      duration(way.settled),
      duration(way.oldQuiet),
      bytes(way.peakDoubledBytes),
    ]),
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  )
}

const number = (n: number) => n.toLocaleString('en')
const percent = (share: number) => `${(100 * share).toFixed(1)} %`

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}

function bytes(n: number): string {
  if (n < 10_000) return `${n} B`
  return n < 10_000_000 ? `${Math.round(n / 1000)} kB` : `${Math.round(n / 1e6)} MB`
}
