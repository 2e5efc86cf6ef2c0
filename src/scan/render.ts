/** A scan's report for a terminal. */
import { checkMade } from '../ground/arguments.js'
import type { PrefixRow, ScanReport } from './report.js'

/** Plain text. @param most prefixes that are shown */
export function renderScan(report: ScanReport, most = 20): string {
  checkMade('report', report, 'scan()', ['format', 'items', 'servers'])
  const { items, bytes, servers, prefixes, placement, sampled } = report
  const lines = [
    `${number(items)} items, ${size(bytes)} on ${servers.length} server${servers.length === 1 ? '' : 's'}, ${number(sampled)} values read, ${report.seconds.toFixed(1)} s.`,
    '',
  ]
  for (const { server, version, items: own, bytes: held, problem } of servers)
    lines.push(
      `  ${server}  ${version === undefined ? '' : `memcached ${version}, `}${number(own)} items, ${size(held)}${problem === undefined ? '' : `\n    NOT SCANNED TO THE END: ${problem}`}`,
    )
  if (report.writers.length > 0) lines.push('', 'Writers')
  for (const row of report.writers) lines.push(`  ${share(row.items, items)}  ${row.writer}`)
  if (prefixes.length > 0) lines.push('', 'Prefixes, the largest first')
  for (const prefix of prefixes.slice(0, most)) lines.push(...prefixLines(prefix, items))
  if (prefixes.length > most) lines.push(`  … and ${prefixes.length - most} more (--json lists all)`)
  if (report.unreadable.length > 0) {
    lines.push('', 'Libraries that cannot read items (estimated from the sample)')
    for (const row of report.unreadable.slice(0, most))
      lines.push(
        `  ${share(row.items, items)}  ${row.reader}: ${row.reason}`,
        `          e.g. ${row.example}`,
      )
  }
  if (report.keys.length > 0) {
    lines.push('', 'Keys that break rules')
    for (const row of report.keys)
      lines.push(
        `  ${number(row.items)}  ${row.rule}: ${row.meaning}`,
        `          e.g. ${row.examples.join(', ')}`,
      )
  }
  if (report.largeItems > 0) {
    lines.push('', `${number(report.largeItems)} items of more than 80 % of the servers' limit`)
    for (const row of report.large)
      lines.push(`  ${size(row.size)} of ${size(row.limit)}  ${row.key} on ${row.server}`)
  }
  if (placement && items > 0) {
    lines.push('', 'Items on the server where a placement looks for them')
    for (const row of placement.agreement) lines.push(`  ${share(row.part, 1)}  ${row.title}`)
    if (placement.lost > 0)
      lines.push(
        `  ${number(placement.lost)} items are on a server where no placement looks for them, e.g. ${placement.examples.map(({ key, server }) => `${key} on ${server}`).join(', ')}`,
      )
  }
  for (const note of report.notes) lines.push('', `Note: ${note}`)
  return `${lines.join('\n')}\n`
}

function prefixLines(row: PrefixRow, items: number): readonly string[] {
  const { prefix, writers, classes, pickleProtocols } = row
  const protocols = Object.keys(pickleProtocols)
  return [
    `  ${share(row.items, items)}  ${prefix}  ${size(row.bytes)}, ${writers.length > 0 ? writers.join(' or ') : 'another client'}`,
    `          ${Object.entries(row.lifetimes)
      .map(([name, count]) => `${name} ${share(count, row.items).trim()}`)
      .join(', ')}`,
    ...(protocols.length > 0
      ? [
          `          pickle protocol ${protocols.join(', ')}${
            classes.length > 0
              ? `; classes ${classes
                  .slice(0, 5)
                  .map(([name]) => name)
                  .join(', ')}`
              : ''
          }`,
        ]
      : []),
  ]
}

function share(part: number, whole: number): string {
  return `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(1).padStart(5)} %`
}

function number(value: number): string {
  return value.toLocaleString('en')
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`
}
