/** The report for a terminal: the findings, then the evidence, in at most `width` columns. */

import { createColors } from 'picocolors'
import { printable, wrapped } from '../../ground/printable.js'
import { checkOptionNames } from '../../python/options.js'
import type { Analysis } from '../analyses/index.js'
import { checkReport, type Finding, type Report, type SwitchRow, type Tally } from '../report/report.js'
import {
  absorbedText,
  count,
  emulatedText,
  fidelityText,
  frameworkText,
  hotKeyText,
  impactSummary,
  impactWords,
  outageTexts,
  outcomeText,
  percent,
  placesText,
  sideNames,
  useText,
  verdictText,
} from './words.js'

/** Options of the terminal report. */
export interface TerminalOptions {
  /** Columns; default 80. */
  readonly width?: number | undefined
  readonly color?: boolean | undefined
  /** Examples for every switch; default 2. */
  readonly examples?: number | undefined
}

type Colors = ReturnType<typeof createColors>

/** The report as text for a terminal, with a line break at its end. */
export function renderTerminal(report: Report, options: TerminalOptions = {}): string {
  checkReport(report)
  checkOptionNames(options, ['width', 'color', 'examples'])
  const width = Math.max(40, Math.min(options.width ?? 80, 140))
  const c = createColors(options.color ?? false)
  const lines: string[] = []
  const say = (text = '', indent = 0) => lines.push(...wrapped(text, width, indent))
  const heading = (text: string) =>
    lines.push('', c.bold(text), c.dim('─'.repeat(Math.min(width, text.length))))

  const { trace, totals, settings, timing } = report
  const sides = sideNames(report)
  lines.push(c.bold(clip(`memshim audit  ${trace.name}`, width)))
  say(
    `${trace.source ?? trace.library}: ${trace.library} ${trace.version}, ${count(trace.servers, 'server')}, ${count(trace.clients, 'client')}, ${count(totals.operations, 'operation')}${trace.faults > 0 ? `, ${count(trace.faults, 'fault')}` : ''}. Emulated as ${emulatedText(report)}, on ${settings.servers}.`,
  )
  lines.push('')
  lines.push(bar(totals, Math.min(width, 72), c))
  lines.push(...legend(totals, c, width))
  lines.push('')
  for (const line of wrapped(verdictText(report), width))
    lines.push(totals.unexplained > 0 ? c.yellow(line) : line)

  const behind = frameworkText(report)
  if (behind !== undefined) say(behind)

  if (report.switches.length > 0) {
    heading('What to change, most serious first')
    for (const [i, row] of report.switches.entries()) {
      if (i > 0) lines.push('')
      switchLines(row, i + 1, width, c, options.examples ?? 2, lines, absorbedText(report, row.switch), sides)
    }
  }
  const outages = outageTexts(report)
  if (outages.length > 0) {
    heading('Servers that are down')
    for (const text of outages) say(text, 2)
  }
  const { analyses = [], hotKeys = [] } = report
  if (analyses.length > 0 || hotKeys.length > 0) {
    heading('How the application uses its cache')
    for (const analysis of analyses) analysisLines(analysis, width, c, lines)
    if (hotKeys.length > 0) lines.push(`    ${c.bold('Hot keys')}`)
    for (const key of hotKeys.slice(0, 5)) say(`${key.key}: ${hotKeyText(key)}`, 6)
    if (hotKeys.length > 5) say(`… and ${hotKeys.length - 5} more (see --json or --html)`, 6)
  }
  if (report.risks.length > 0) {
    heading('Do not rely on it')
    for (const risk of report.risks) {
      lines.push(`    ${c.yellow(c.bold(risk.name))}  ${c.dim(count(risk.count, 'operation'))}`)
      say(`${risk.title}.`, 4)
      lines.push(...wrapped(`→ ${risk.advice}`, width, 4).map((line) => c.green(line)))
      for (const example of risk.examples.slice(0, options.examples ?? 2))
        exampleLines(example, width, c, lines, sides)
      lines.push(c.dim(`    docs/${risk.docs}`))
    }
  }
  if (report.unexplained.length > 0) {
    heading(`Unexplained: ${count(totals.unexplained, 'operation')}`)
    for (const example of report.unexplained.slice(0, 10)) exampleLines(example, width, c, lines, sides)
    const more = totals.unexplained - Math.min(10, report.unexplained.length)
    if (more > 0) say(`… and ${more.toLocaleString('en')} more (see --json or --html)`, 4)
  }
  if (report.callSites.length > 0) {
    heading('Where in the application')
    for (const site of report.callSites.slice(0, 10)) {
      const names = Object.entries(site.switches).map(([name, n]) => `${name} ${n}`)
      const place = clip(site.at, width - 22)
      lines.push(
        `  ${place.padEnd(Math.max(10, width - 22))} ${String(site.differs + site.unexplained).padStart(5)} of ${site.operations}`,
      )
      if (names.length > 0) lines.push(...wrapped(names.join(', '), width, 4).map((line) => c.dim(line)))
    }
    if (report.callSites.length > 10) say(`… and ${report.callSites.length - 10} more`, 2)
  }
  heading('Reliability of this report')
  say(fidelityText(report))
  for (const finding of report.fidelity.findings.slice(0, 3)) {
    lines.push(c.dim(clip(`  line ${finding.line}  ${finding.call}`, width)))
    say(`recorded ${outcomeText(finding.recorded)}`, 4)
    say(`replayed ${outcomeText(finding.replayed)}`, 4)
  }
  if (report.verification) say(verificationText(report.verification, sides))
  for (const note of report.notes.slice(0, 8))
    say(`${note.count}× ${note.text} (first: line ${note.line})`, 2)
  lines.push('')
  const ran = `${count(totals.operations, 'operation')} (${trace.seconds.toFixed(1)} s of application time) in ${timing.seconds.toFixed(1)} s.`
  lines.push(...wrapped(ran, width).map((line) => c.dim(line)))
  return `${lines.join('\n')}\n`
}

function verificationText(
  { operations, confirmed, untried }: NonNullable<Report['verification']>,
  [before, after]: readonly [string, string],
): string {
  const rest = untried > 0 ? `; ${untried} not tried` : ''
  const [changed, given] = after.startsWith('pymemcache')
    ? [`behaviours of ${after} set to those of ${before}`, before]
    : ['switches off', after]
  return `Verified: with exactly the named ${changed}, ${confirmed} of ${operations} differing operations (${percent(confirmed, operations)}) give ${given}'s outcome${rest}.`
}

function switchLines(
  row: SwitchRow,
  rank: number,
  width: number,
  c: Colors,
  examples: number,
  lines: string[],
  absorbed: string,
  sides: readonly [string, string],
): void {
  const serious = row.impacts.raises ? c.red : row.outcomes > 0 ? c.yellow : c.cyan
  const amount = count(row.count, 'operation')
  lines.push(`${String(rank).padStart(2)}. ${serious(c.bold(row.switch))}  ${c.dim(amount)}`)
  lines.push(...wrapped(row.title, width, 4))
  lines.push(
    ...wrapped(
      impactSummary(row) + (row.inherited > 0 ? ` (${row.inherited} as a consequence)` : ''),
      width,
      4,
    ),
  )
  if (absorbed !== '') lines.push(...wrapped(absorbed, width, 4).map((line) => c.cyan(line)))
  if (row.advice !== '') lines.push(...wrapped(`→ ${row.advice}`, width, 4).map((line) => c.green(line)))
  for (const example of row.examples.slice(0, examples)) exampleLines(example, width, c, lines, sides)
  if (row.docs !== undefined) lines.push(c.dim(`    docs/${row.docs}`))
}

function analysisLines(
  { title, severity, rows, advice, docs }: Analysis,
  width: number,
  c: Colors,
  lines: string[],
): void {
  const color = { problem: c.red, look: c.yellow, fact: c.cyan }
  lines.push(`    ${color[severity](c.bold(title))}  ${c.dim(severity)}`)
  for (const row of rows) {
    const places = row.callSites.length > 0 ? `, at ${placesText(row)}` : ''
    const own = row.severity === severity ? '' : ` [${row.severity}]`
    lines.push(...wrapped(`${row.label}${own}: ${useText(row)}${places}`, width, 6))
  }
  if (severity !== 'fact') lines.push(...wrapped(`→ ${advice}`, width, 4).map((line) => c.green(line)))
  lines.push(c.dim(`    docs/${docs}`))
}

function exampleLines(
  example: Finding,
  width: number,
  c: Colors,
  lines: string[],
  [before, after]: readonly [string, string],
): void {
  const column = Math.max(before.length, after.length) + 2
  const where = example.at === undefined ? '' : `  ${example.at}`
  lines.push(c.dim(clip(`    line ${example.line}${where}`, width)))
  lines.push(clip(`      ${example.call}`, width))
  lines.push(clip(`        ${before.padEnd(column)}${outcomeText(example.compat)}`, width))
  lines.push(clip(`        ${after.padEnd(column)}${outcomeText(example.strict)}`, width))
  const cause = example.explanations.find((explanation) => explanation.how === 'inherited')
  if (cause)
    lines.push(c.dim(clip(`        because of line ${cause.lines.join(' → ')} (${cause.switch})`, width)))
  if (example.impact === 'state' && example.explanations.length > 0)
    lines.push(c.dim(clip(`        ${impactWords.state.long}`, width)))
}

function bar(totals: Tally, width: number, c: Colors): string {
  const parts: readonly [number, (text: string) => string, string][] = [
    [totals.same, c.green, '█'],
    [totals.announced, c.cyan, '▓'],
    [totals.differs, c.yellow, '▒'],
    [totals.unexplained, c.red, '░'],
  ]
  const whole = Math.max(1, totals.operations)
  const cells = parts.map(([n]) => (n === 0 ? 0 : Math.max(1, Math.round((n / whole) * width))))
  const longest = cells.indexOf(Math.max(...cells))
  cells[longest] = Math.max(0, (cells[longest] ?? 0) + width - cells.reduce((a, b) => a + b, 0))
  return parts.map(([, color, glyph], i) => color(glyph.repeat(cells[i] ?? 0))).join('')
}

function legend(totals: Tally, c: Colors, width: number): string[] {
  const parts = [
    c.green(`█ same ${totals.same.toLocaleString('en')}`),
    c.cyan(`▓ hidden ${totals.announced.toLocaleString('en')}`),
    c.yellow(`▒ differs ${totals.differs.toLocaleString('en')}`),
    c.red(`░ unexplained ${totals.unexplained.toLocaleString('en')}`),
  ]
  return width < 72 ? parts : [parts.join('   ')]
}

function clip(text: string, width: number): string {
  const safe = printable(text)
  return safe.length > width ? `${safe.slice(0, width - 1)}…` : safe
}
