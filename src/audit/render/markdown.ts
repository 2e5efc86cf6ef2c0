/** The report as GitHub-flavoured Markdown, for the comment of a pull request: the verdict, one row per switch, and advice. */
import type { NewFinding } from '../report/baseline.js'
import { checkReport, type Report } from '../report/report.js'
import {
  count,
  emulatedText,
  fidelityText,
  frameworkText,
  hotKeyText,
  impactSummary,
  outageTexts,
  outcomeText,
  placesText,
  sideNames,
  sideTexts,
  useText,
  verdictText,
} from './words.js'

/** The number of places that are shown: a comment of GitHub holds at most 65,536 characters. */
const sitesShown = 3

/** @param news new findings against a baseline; absent without one */
export function renderMarkdown(report: Report, news?: readonly NewFinding[]): string {
  checkReport(report)
  const { trace, settings, switches, totals } = report
  const sides = sideNames(report)
  const parts: string[] = [
    `## memshim audit: ${text(trace.name)}`,
    '',
    `**${text(verdictText(report))}**`,
    '',
    text(
      [
        `${trace.library} ${trace.version}`,
        count(trace.servers, 'server'),
        `emulated as ${emulatedText(report)}`,
        `replayed on ${settings.servers}`,
        count(totals.operations, 'operation'),
      ].join(' · '),
    ),
  ]
  const behind = frameworkText(report)
  if (behind !== undefined) parts.push('', text(behind))
  if (news) {
    parts.push(
      '',
      news.length === 0
        ? 'There are no new findings against the baseline.'
        : '### New findings against the baseline',
      '',
    )
    parts.push(...news.map((found) => `- ${text(found.text)}`))
  }
  if (switches.length > 0) {
    parts.push('', '| Switch | Behaviour | Operations | Effect | Where |', '| --- | --- | ---: | --- | --- |')
    for (const row of switches) {
      const sites = row.callSites.slice(0, sitesShown).map(({ at, count: n }) => `${code(at)} (${n})`)
      parts.push(
        `| ${code(row.switch)} | ${cell(row.title)} | ${row.count.toLocaleString('en')} | ${cell(impactSummary(row))} | ${sites.join('<br>')} |`,
      )
    }
    parts.push('', '<details><summary>How to fix each, with an example</summary>', '')
    for (const row of switches) {
      parts.push(`#### ${row.switch}`, '')
      for (const said of sideTexts(row, sides)) parts.push(text(said), '')
      if (row.advice !== '') parts.push(`**Advice.** ${text(row.advice)}`, '')
      const [example] = row.examples
      if (example) {
        const at = example.at === undefined ? '' : ` at ${code(example.at)}`
        parts.push(
          `Line ${example.line}${at}: ${code(example.call)} → ${sides[0]} ${code(outcomeText(example.compat))}, ${sides[1]} ${code(outcomeText(example.strict))}`,
          '',
        )
      }
    }
    parts.push('</details>')
  }
  for (const outage of outageTexts(report)) parts.push('', text(outage))
  parts.push(...uses(report))
  for (const risk of report.risks)
    parts.push(
      '',
      `**Do not rely on it:** ${text(risk.title)}. ${count(risk.count, 'operation')}. ${text(risk.advice)}`,
    )
  if (totals.unexplained > 0)
    parts.push(
      '',
      `**Unexplained:** ${count(totals.unexplained, 'operation')}. Read them in the JSON or HTML report.`,
    )
  parts.push('', text(fidelityText(report)), '')
  return parts.join('\n')
}

/** The section on the use of the cache: problems are visible, all rows are in a collapsed table. */
function uses({ analyses = [], hotKeys = [] }: Report): readonly string[] {
  const problems = analyses.flatMap(({ title, rows }) =>
    rows
      .filter(({ severity }) => severity === 'problem')
      .flatMap((row) => ['', `**${text(title)}:** ${text(row.label)}, ${count(row.count, 'operation')}.`]),
  )
  if (analyses.length === 0 && hotKeys.length === 0) return problems
  const parts = [
    ...problems,
    '',
    '<details><summary>How the application uses its cache</summary>',
    '',
    '| Analysis | Use | Severity | Operations, from and to | Where |',
    '| --- | --- | --- | --- | --- |',
  ]
  for (const { title, rows } of analyses)
    for (const row of rows)
      parts.push(
        `| ${[title, row.label, row.severity, useText(row), placesText(row)].map(cell).join(' | ')} |`,
      )
  for (const key of hotKeys) parts.push(`| Hot keys | ${code(key.key)} | fact | ${cell(hotKeyText(key))} | |`)
  for (const { title, advice, docs } of analyses)
    parts.push('', `**${text(title)}.** ${text(advice)} docs/${text(docs)}`)
  return [...parts, '', '</details>']
}

/** Escapes text of a trace, so that no character is markup or begins a new line. */
function text(words: string): string {
  return printable(words).replace(/[\\`*_{}[\]<>|#~!@]/g, (char) => `\\${char}`)
}

function cell(words: string): string {
  return text(words)
}

/** In a fence longer than any run of backticks in it; a bar would end the cell of a table. */
function code(words: string): string {
  const plain = printable(words).replaceAll('|', '\\|')
  const runs = plain.match(/`+/g) ?? []
  const fence = '`'.repeat(Math.max(0, ...runs.map((run) => run.length)) + 1)
  const pad = runs.length > 0 || plain.trim() === '' ? ' ' : ''
  return `${fence}${pad}${plain}${pad}${fence}`
}

function printable(words: string): string {
  return words.replace(
    /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
