/** The report as GitHub-flavoured Markdown, for the comment of a pull request: the verdict, one row a switch, how to fix it. */
import type { NewFinding } from '../report/baseline.js'
import { checkReport, type Report } from '../report/report.js'
import {
  count,
  fidelityText,
  frameworkText,
  impactSummary,
  outageTexts,
  outcomeText,
  verdictText,
} from './words.js'

/** A comment of GitHub holds 65,536 characters. */
const sitesShown = 3

/** @param news what is new against a baseline; absent without one */
export function renderMarkdown(report: Report, news?: readonly NewFinding[]): string {
  checkReport(report)
  const { trace, settings, switches, totals } = report
  const parts: string[] = [
    `## memshim audit: ${text(trace.name)}`,
    '',
    `**${text(verdictText(report))}**`,
    '',
    text(
      [
        `${trace.library} ${trace.version}`,
        count(trace.servers, 'server'),
        `emulated as ${settings.preset}`,
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
      news.length === 0 ? 'Nothing is new against the baseline.' : '### New against the baseline',
      '',
    )
    parts.push(...news.map((found) => `- ${text(found.text)}`))
  }
  if (switches.length > 0) {
    parts.push(
      '',
      '| Switch | What it is | Operations | Effect | Where |',
      '| --- | --- | ---: | --- | --- |',
    )
    for (const row of switches) {
      const sites = row.callSites.slice(0, sitesShown).map(({ at, count: n }) => `${code(at)} (${n})`)
      parts.push(
        `| ${code(row.switch)} | ${cell(row.title)} | ${row.count.toLocaleString('en')} | ${cell(impactSummary(row))} | ${sites.join('<br>')} |`,
      )
    }
    parts.push('', '<details><summary>How to fix each, with an example</summary>', '')
    for (const row of switches) {
      parts.push(`#### ${row.switch}`, '')
      if (row.pythonMemcached !== '')
        parts.push(`python-memcached: ${text(row.pythonMemcached)}`, '', `pylibmc: ${text(row.pylibmc)}`, '')
      if (row.advice !== '') parts.push(`**What to do.** ${text(row.advice)}`, '')
      const [example] = row.examples
      if (example) {
        const at = example.at === undefined ? '' : ` at ${code(example.at)}`
        parts.push(
          `Line ${example.line}${at}: ${code(example.call)} → python-memcached ${code(outcomeText(example.compat))}, pylibmc ${code(outcomeText(example.strict))}`,
          '',
        )
      }
    }
    parts.push('</details>')
  }
  for (const outage of outageTexts(report)) parts.push('', text(outage))
  for (const { title, rows } of report.analyses ?? [])
    for (const row of rows)
      if (row.severity === 'problem')
        parts.push('', `**${text(title)}:** ${text(row.label)}, ${count(row.count, 'operation')}.`)
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

/** No character of a trace is markup, and none begins a new line. */
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
