/**
 * The fault matrix: each fault of docs/reference/field.md#3 × each operation × each kind of client and connection. Expected is what
 * docs/evidence/faults.md says; `npm run test:faults -- --write` writes the page anew, to be read before it is committed.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { faults, type StruckFault } from './faults.js'
import { type Cell, type Column, columns, deadline, isStruck, type Played, play } from './matrix.js'
import { operations, type StruckOperation } from './operations.js'
import { certificate } from './stage.js'
import { documented, type Outcomes, page, pageOf, write } from './table.js'

const tls = certificate()
const writing = process.env.MEMSHIM_WRITE_FAULTS === '1'
const found: Outcomes = {}
const expected = writing ? {} : documented()

/** Milliseconds. Where `deadline` gives another outcome than is documented: a busy machine may have used it up, and then this one decides. */
const longDeadline = 15_000
/** Far more than any machine needs between a deadline and the moment its timer runs. */
const late = 5000

/** What the operation after the struck one gives. */
const after = '"wards"'
/** What no operation may give. */
const foreign = /wrong|what is this|out of memory/

async function column(name: Column, fault: StruckFault): Promise<Record<string, Cell>> {
  const cells: Record<string, Cell> = {}
  await Promise.all(
    operations
      .filter((operation) => isStruck(name, fault, operation))
      .map(async (operation) => {
        const cell = await checked(name, fault, operation)
        cells[operation.name] = cell
        keep(fault.name, operation.name, name.name, cell)
      }),
  )
  return cells
}

async function checked(name: Column, fault: StruckFault, operation: StruckOperation): Promise<Cell> {
  const wanted = expected[fault.name]?.[operation.name]?.[name.name]
  const seen = (time: number): Promise<Played> => play(name, fault, operation, tls, time)
  const first = await seen(deadline).catch(() => undefined)
  const isAsDocumented = isDeepStrictEqual(first && cellOf(first), wanted) && first?.next === after
  const [played, time] =
    first && (isAsDocumented || writing) ? [first, deadline] : [await seen(longDeadline), longDeadline]
  const { outcome, milliseconds, next, left } = played
  expect(next, `the operation after ${operation.name}`).toBe(after)
  expect(left, `sockets open after ${operation.name}`).toBe(0)
  expect(milliseconds, operation.name).toBeLessThan(time + late)
  expect(outcome, operation.name).not.toMatch(foreign)
  expect(outcome, operation.name).not.toMatch(/^unexpected/)
  return cellOf(played)
}

function cellOf({ outcome, connections }: Played): Cell {
  return { outcome, connections }
}

function keep(fault: string, operation: string, column: string, cell: Cell): void {
  const rows = found[fault] ?? {}
  rows[operation] = { ...rows[operation], [column]: cell }
  found[fault] = rows
}

/** What keeps a process alive, by kind. */
function held(): Record<string, number> {
  const kinds: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) kinds[kind] = (kinds[kind] ?? 0) + 1
  return kinds
}

const ours = [
  'TCPSocketWrap',
  'TCPServerWrap',
  'TLSWrap',
  'Timeout',
  'ConnectWrap',
  'WriteWrap',
  'ShutdownWrap',
]

async function leftBehind(before: Record<string, number>): Promise<string[]> {
  let more: string[] = []
  for (let tries = 0; tries < 200; tries++) {
    const after = held()
    more = ours.filter((kind) => (after[kind] ?? 0) > (before[kind] ?? 0))
    if (more.length === 0) return more
    await sleep(25)
  }
  return more
}

describe.each(columns)('$name', (name) => {
  const before = held()
  test.skipIf(name.tls && !tls).each(faults)('$name', { timeout: 60_000 }, async (fault) => {
    const cells = await column(name, fault)
    if (writing) return
    const wanted = Object.fromEntries(
      Object.entries(expected[fault.name] ?? {}).flatMap(([operation, row]) =>
        row[name.name] ? [[operation, row[name.name]!]] : [],
      ),
    )
    expect(cells).toEqual(wanted)
  })

  test('leaves no socket, timer or server behind', async () => {
    expect(await leftBehind(before)).toEqual([])
  })
})

test.skipIf(writing)('TLS changes no outcome', () => {
  const differing = Object.entries(expected).flatMap(([fault, rows]) =>
    Object.entries(rows).flatMap(([operation, cells]) =>
      columns.flatMap(({ name, tls }) => {
        const plain = cells[name.replace(' over TLS', '')]
        return tls && !isDeepStrictEqual(cells[name], plain) ? [`${fault}, ${operation}, ${name}`] : []
      }),
    ),
  )
  expect(differing).toEqual([])
})

test.skipIf(writing)('the page shows this table', () => {
  expect(readFileSync(page, 'utf8')).toBe(pageOf(expected))
})

afterAll(() => {
  if (writing) write(found)
})
