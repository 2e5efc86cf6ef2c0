/**
 * The report as JUnit XML, as CI systems read it: one test case for every switch that the audit knows or found, failed where it makes a difference.
 * Source: the schema of the Jenkins xUnit plugin (junit-10.xsd).
 */
import type { SwitchInfo } from '../compare/divergence.js'
import type { NewFinding } from '../report/baseline.js'
import { checkReport, type Report, type SwitchRow } from '../report/report.js'
import { impactSummary, outcomeText, sideNames, sideTexts } from './words.js'

/**
 * @param known every switch, so that passed ones are listed too
 * @param news with a baseline: only these are failures
 */
export function renderJunit(
  report: Report,
  known: readonly SwitchInfo[],
  news?: readonly NewFinding[],
): string {
  checkReport(report)
  const sides = sideNames(report)
  const rows = new Map(report.switches.map((row) => [row.switch, row]))
  const isNew = (name: string, kind?: NewFinding['kind']) =>
    news === undefined ||
    news.some((found) => found.name === name && (kind === undefined || found.kind === kind))
  const cases: {
    readonly name: string
    readonly failure?: { readonly message: string; readonly text: string }
  }[] = [
    // Audits of pymemcache have findings beside the switches.
    ...[...new Set([...known.map(({ name }) => name), ...rows.keys()])].map((name) => {
      const row = rows.get(name)
      if (!row || row.outcomes === 0 || !isNew(name)) return { name }
      return { name, failure: { message: `${row.title}: ${impactSummary(row)}`, text: details(row, sides) } }
    }),
    {
      name: 'unexplained',
      ...(report.totals.unexplained > 0 && isNew('', 'unexplained')
        ? {
            failure: {
              message: `${report.totals.unexplained} operations have another outcome without an explanation`,
              text: report.unexplained
                .slice(0, 20)
                .map(
                  ({ line, call, compat, strict }) =>
                    `line ${line}: ${call}: ${sides[0]}: ${outcomeText(compat)}; ${sides[1]}: ${outcomeText(strict)}`,
                )
                .join('\n'),
            },
          }
        : {}),
    },
  ]
  const failed = cases.filter(({ failure }) => failure).length
  const seconds = report.timing.seconds.toFixed(3)
  const lines = cases.map(({ name, failure }) => {
    const head = `<testcase classname="memshim.audit" name="${xml(name)}" time="0"`
    if (!failure) return `    ${head}/>`
    return `    ${head}><failure type="difference" message="${xml(failure.message)}">${xml(failure.text)}</failure></testcase>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="memshim audit" tests="${cases.length}" failures="${failed}" errors="0" time="${seconds}">
  <testsuite name="${xml(report.trace.name)}" tests="${cases.length}" failures="${failed}" errors="0" skipped="0" timestamp="${xml(report.timing.started.replace(/\.\d+Z$/, ''))}" time="${seconds}">
${lines.join('\n')}
  </testsuite>
</testsuites>
`
}

function details(row: SwitchRow, sides: readonly [string, string]): string {
  return [
    ...sideTexts(row, sides),
    ...(row.advice === '' ? [] : [`Advice: ${row.advice}`]),
    ...row.callSites.map(({ at, count }) => `at ${at}: ${count}`),
    ...row.examples.slice(0, 3).map(({ line, call }) => `line ${line}: ${call}`),
  ].join('\n')
}

/** XML 1.0 has no form for most control characters and for halves of surrogate pairs. */
function xml(text: string): string {
  return text
    .replace(
      /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
      '\ufffd',
    )
    .replace(/[&<>"'\n\r\t]/g, (char) => `&#${char.charCodeAt(0)};`)
}
