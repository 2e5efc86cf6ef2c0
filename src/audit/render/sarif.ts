/**
 * The report as SARIF 2.1.0, which code hosts show beside the lines of code: a rule for every switch, a result for every place of it.
 * Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
import { type Impact, impacts } from '../compare/outcome.js'
import type { NewFinding } from '../report/baseline.js'
import { filePlace } from '../report/places.js'
import { checkReport, type Report, type SwitchRow } from '../report/report.js'
import { impactSummary, outcomeText, sideNames, sideTexts } from './words.js'

const levels: Readonly<Record<Impact, 'error' | 'warning' | 'note'>> = {
  raises: 'error',
  'stops-raising': 'warning',
  value: 'warning',
  truth: 'warning',
  spelling: 'note',
  state: 'note',
}

/** @param news with a baseline: results that are not among these have the state `unchanged` */
export function renderSarif(report: Report, news?: readonly NewFinding[]): string {
  checkReport(report)
  const { switches } = report
  const sides = sideNames(report)
  const rules = switches.map((row) => ({
    id: row.switch,
    shortDescription: { text: row.title },
    fullDescription: { text: [row.title, ...sideTexts(row, sides)].map((text) => `${text}.`).join(' ') },
    help: { text: row.advice === '' ? row.title : row.advice },
    defaultConfiguration: { level: levels[worst(row)] },
  }))
  const results = switches.flatMap((row, ruleIndex) => {
    const places = row.callSites.length > 0 ? row.callSites : [{ at: undefined, count: row.count }]
    return places.map(({ at, count }) => ({
      ruleId: row.switch,
      ruleIndex,
      level: levels[worst(row)],
      message: {
        text: `${row.title}: ${count} ${count === 1 ? 'operation' : 'operations'}${at === undefined ? '' : ` at ${at}`} (in the whole trace ${impactSummary(row)}). ${row.advice}${exampleText(row, at, sides)}`,
      },
      ...(at === undefined ? {} : { locations: [location(at)] }),
      occurrenceCount: count,
      partialFingerprints: { 'memshimPlace/v1': `${row.switch} ${at ?? ''}` },
      ...(news ? { baselineState: isNew(news, row.switch, at) ? 'new' : 'unchanged' } : {}),
    }))
  })
  const unexplained = report.unexplained.slice(0, 100).map((found) => ({
    ruleId: 'unexplained',
    level: 'error',
    message: {
      text: `line ${found.line}: ${found.call}: ${sides[0]} ${outcomeText(found.compat)}, ${sides[1]} ${outcomeText(found.strict)}; no switch explains it`,
    },
    ...(found.at === undefined ? {} : { locations: [location(found.at)] }),
  }))
  const sarif = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'memshim', version: report.memshim, rules } },
        results: [...results, ...unexplained],
        columnKind: 'utf16CodeUnits',
      },
    ],
  }
  return `${JSON.stringify(sarif, null, 2)}\n`
}

function isNew(news: readonly NewFinding[], name: string, at: string | undefined): boolean {
  return news.some((found) => found.name === name && (found.kind === 'switch' || found.at === at))
}

function worst(row: SwitchRow): Impact {
  return impacts.find((impact) => (row.impacts[impact] ?? 0) > 0) ?? 'state'
}

function exampleText(
  row: SwitchRow,
  at: string | undefined,
  [before, after]: readonly [string, string],
): string {
  const example = row.examples.find((one) => one.at === at) ?? row.examples[0]
  if (!example) return ''
  return ` Example, line ${example.line} of the trace: ${example.call} gives ${outcomeText(example.compat)} on ${before} and ${outcomeText(example.strict)} on ${after}.`
}

/** A dotted name is a logical location; only a file has a physical one. */
function location(at: string): object {
  const place = filePlace(at)
  if (!place) return { logicalLocations: [{ fullyQualifiedName: at }] }
  return {
    physicalLocation: {
      artifactLocation: { uri: encodeURI(place.file) },
      region: { startLine: place.line },
    },
  }
}
