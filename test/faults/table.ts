/** The fault matrix as data (outcomes.json) and as a page of the documentation. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { faults } from './faults.js'
import { type Cell, columns, deadline } from './matrix.js'
import { operations } from './operations.js'

/** fault → operation → column → cell */
export type Outcomes = Record<string, Record<string, Record<string, Cell>>>

const file = join(import.meta.dirname, 'outcomes.json')
export const page = join(import.meta.dirname, '..', '..', 'docs', 'faults.md')

export function documented(): Outcomes {
  return JSON.parse(readFileSync(file, 'utf8')) as Outcomes
}

export function write(outcomes: Outcomes): void {
  writeFileSync(file, `${JSON.stringify(sorted(outcomes), null, 1)}\n`)
  writeFileSync(page, pageOf(outcomes))
}

/** In the order of the lists, whatever finished first. */
function sorted(outcomes: Outcomes): Outcomes {
  return Object.fromEntries(
    faults.map(({ name }) => [
      name,
      Object.fromEntries(
        operations.map((operation) => {
          const row = outcomes[name]?.[operation.name] ?? {}
          const known = columns.flatMap((column) =>
            row[column.name] ? [[column.name, row[column.name]!]] : [],
          )
          return [operation.name, Object.fromEntries(known)]
        }),
      ),
    ]),
  ) as Outcomes
}

const introduction = `# What happens when something fails

This page is made by \`npm run test:faults -- --write\` and checked by every \`npm test\`. Each fault strikes each operation once, on a
connection that is open and in use, with a deadline of ${deadline} ms. A cell says what the operation returned or raised (Python's class, and
libmemcached's code where it has one), and in brackets how many connections the server had seen after the following operation: 1 means
that the connection stayed, 2 that it was closed and another one opened. The following operations have to be right in every cell, nothing
may be left behind (sockets, timers, listeners, rejections that nobody handles), and nothing may take longer than its deadline.

The same faults were recorded from pylibmc 1.6.3, over the text and over the binary protocol, and from python-memcached 1.59 and 1.62;
\`test/differential/fault-table.test.ts\` compares them. None of these libraries has TLS: a row over TLS is held against the same row without it. Where memshim does otherwise on purpose, [strict.md](strict.md#deliberate-differences-from-pylibmc) and [compat.md](compat.md) say why.
`

export function pageOf(outcomes: Outcomes): string {
  const sections = faults.map(({ name, rule }) => {
    const rows = Object.entries(sorted(outcomes)[name]!).map(([operation, cells]) => {
      const told = columns.map((column) => cellText(cells[column.name]))
      return `| ${operation} | ${told.join(' | ')} |`
    })
    const head = `| operation | ${columns.map((column) => column.name).join(' | ')} |`
    const line = `| --- | ${columns.map(() => '---').join(' | ')} |`
    const title = name[0]!.toUpperCase() + name.slice(1)
    return `## ${title}\n\n${rule}\n\n${[head, line, ...rows].join('\n')}\n`
  })
  return `${introduction}\n${sections.join('\n')}`
}

function cellText(cell: Cell | undefined): string {
  return cell ? `${cell.outcome.replaceAll('|', '\\|')} [${cell.connections}]` : '–'
}
