/** A recording's summary for a terminal. */
import type { CaptureKind } from '../capture/index.js'
import { checkMade } from '../ground/arguments.js'
import type { RecordSummary } from './summary.js'

/** What to do about a recording without a command. */
const whatToDo: Readonly<Record<CaptureKind, string>> = {
  packets: '--port names other ports than 11211, --servers other servers',
  proxy: 'give the applications the addresses of --listen',
  watch: 'the applications sent none to these servers meanwhile',
}

/** Lines of plain text. */
export function renderRecordSummary(summary: RecordSummary): string {
  checkMade('summary', summary, 'record()', ['files', 'source'])
  const { files, written, commands, clients, servers, seconds, library, order } = summary
  const lines = [
    `Recorded ${count(written, 'command')} of ${count(clients, 'client')} on ${count(servers.length, 'server')} in ${seconds.toFixed(1)} s (${summary.source}).`,
    ...(written < commands
      ? [
          `  ${commands - written} of ${commands} commands seen were not written${summary.leftOut > 0 ? ` (${summary.leftOut} without a sampled key)` : ''}.`,
        ]
      : []),
    `  Files: ${files.join(', ')}${summary.deletedFiles > 0 ? ` (${summary.deletedFiles} older deleted)` : ''}`,
    `  Servers: ${servers.join(', ') || 'none'}`,
    `  Library: ${library.name} ${library.version}${library.guessed ? ` (guessed from ${looks(summary)}; set it with --library)` : ''}`,
  ]
  if (order) {
    const right = `${(100 * order.agreement).toFixed(1)} % of ${order.keys} keys`
    const same = order.servers.every((server, i) => server === servers[i])
    lines.push(
      `  Order of the servers: ${right} are on the server where ${order.placement} puts them${same ? ' in this order.' : ` with --servers ${order.servers.join(',')}: record again with that.`}`,
    )
  } else if (servers.length > 1)
    lines.push(
      '  The order of the servers is that of their first appearance or of --servers; placement depends on it.',
    )
  for (const [name, lost] of Object.entries(summary.losses)) lines.push(`  Lost: ${lost} ${name}.`)
  lines.push('  This source cannot show:')
  for (const what of summary.blind) lines.push(`    ${what}`)
  if (commands === 0)
    lines.push('', `No command of a memcached client was seen: ${whatToDo[summary.source]}.`)
  if (written > 0) lines.push('', `Next: memshim audit ${files.length === 1 ? files[0] : files.join(' ')}`)
  return `${lines.join('\n')}\n`
}

function looks({ looks: counts }: RecordSummary): string {
  const guesses = Object.entries(counts).filter(([, number]) => number > 0)
  if (guesses.length === 0) return 'no command that differs between libraries'
  return guesses.map(([name, number]) => `${number} commands like ${name}`).join(', ')
}

function count(number: number, name: string): string {
  return `${number} ${name}${number === 1 ? '' : 's'}`
}
