/**
 * Applications of several styles ran on the real python-memcached 1.59 and then, unchanged, on the real pylibmc 1.6.3: the audit of the trace
 * must have predicted every call that both runs made, class and return code included. Figures: docs/audit.md.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { fixtures } from '../support/recordings.js'
import {
  type Comparison,
  compareSwitched,
  followedTooOften,
  type Protocol,
  readSwitched,
} from './switched-applications.js'

const switched = readSwitched()
const runs = Object.entries(switched).flatMap(([name, application]) =>
  (['text', 'binary'] as const).map((protocol: Protocol) => ({ name, application, protocol })),
)

const compared = new Map<string, Comparison>()

it.each(runs)(
  '$name over $protocol: predicted right, wrong, missed',
  { timeout: 120_000 },
  async ({ name, application, protocol }) => {
    const found = await compareSwitched(name, application, protocol)
    compared.set(`${name} ${protocol}`, found)
    const { right, wrong, missed, unexplained, uncertain, afterDivergence, diverged, steps, raising } = found
    console.info(
      `${name} ${protocol}: ${right} right, ${wrong.length} wrong, ${missed.length} missed, ${uncertain} cannot be told; ${diverged} of ${steps} steps took another way (${afterDivergence} calls after that); ${raising.predicted} predicted to raise, ${raising.real} raise, ${raising.both} of them predicted`,
    )
    expect({ wrong, missed, unexplained }).toEqual({ wrong: [], missed: [], unexplained: [] })
    expect(followedTooOften(name, found)).toEqual([])
    expect(right).toBeGreaterThan(30)
  },
)

/** A row of the table in docs/audit.md, without the blanks that align it. */
function documentedRow(name: string, text: Comparison, binary: Comparison): string {
  const both = (of: (found: Comparison) => number) => `${of(text)} / ${of(binary)}`
  const cells = [
    name,
    both(({ right }) => right),
    both(({ wrong }) => wrong.length),
    both(({ missed }) => missed.length),
    `${both(({ diverged }) => diverged)} of ${text.steps}`,
    both(({ afterDivergence }) => afterDivergence),
  ]
  return `| ${cells.join(' | ')} |`
}

it('docs/audit.md has these figures', () => {
  const document = readFileSync(join(fixtures, '..', 'docs', 'audit.md'), 'utf8')
  const rows = document.split('\n').map((line) => line.replace(/ +/g, ' '))
  const missing = Object.keys(switched).flatMap((name) => {
    const [text, binary] = [compared.get(`${name} text`), compared.get(`${name} binary`)]
    // Absent where only some of the tests above were asked for.
    if (!text || !binary) return []
    const row = documentedRow(name, text, binary)
    return rows.includes(row) ? [] : [row]
  })
  if (compared.size === runs.length) {
    const sum = (protocol: Protocol, of: (found: Comparison) => number) =>
      [...compared].reduce((total, [name, found]) => total + (name.endsWith(protocol) ? of(found) : 0), 0)
    const both = (of: (found: Comparison) => number) =>
      `${sum('text', of).toLocaleString('en')} / ${sum('binary', of).toLocaleString('en')}`
    const predicted = `${both(({ right }) => right)} calls are predicted right`
    const raising = `a call raises in ${both(({ raising }) => raising.real)} steps; the audit of the trace names ${both(({ raising }) => raising.predicted)}, ${both(({ raising }) => raising.both)} of them among these`
    for (const sentence of [predicted, raising])
      if (!document.replace(/\s+/g, ' ').includes(sentence)) missing.push(sentence)
  }
  expect(missing).toEqual([])
})
