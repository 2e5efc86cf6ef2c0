/** The findings of a report that an earlier one did not have, for CI runs that fail only on new findings. Pure. */
import { checkText } from '../../ground/arguments.js'
import { AuditOptionsError } from '../options.js'
import { checkReport, type Report, reportFormat } from './report.js'

/** One new finding, as a sentence and as data. */
export interface NewFinding {
  /** A switch, a switch at a call site, unexplained operations, or a risk. */
  readonly kind: 'switch' | 'call-site' | 'unexplained' | 'risk'
  /** The switch or risk; empty for unexplained operations. */
  readonly name: string
  readonly at?: string | undefined
  readonly count: number
  readonly text: string
}

/** @throws AuditOptionsError for text that is not a report of `memshim audit --json` */
export function parseBaseline(text: string, name = 'the baseline'): Report {
  checkText('text', text)
  checkText('name', name)
  let report: unknown
  try {
    report = JSON.parse(text)
  } catch (error) {
    throw new AuditOptionsError(`${name} is not JSON: ${(error as Error).message}`)
  }
  const { format, switches, callSites, totals, risks } = Object(report) as Partial<Report>
  const lists = [switches, callSites, risks].every(Array.isArray)
  if (format !== reportFormat || !lists || typeof totals !== 'object')
    throw new AuditOptionsError(`${name} is not a report of memshim audit --json (format "${reportFormat}")`)
  return report as Report
}

/**
 * Switches, switches at call sites, risks and unexplained operations that the baseline did not have. The number of operations
 * depends on the load, so that a larger count alone is not a new finding; unexplained operations count if there are more than before.
 */
export function newFindings(report: Report, baseline: Report): readonly NewFinding[] {
  checkReport(report)
  checkReport(baseline)
  const found: NewFinding[] = []
  const known = new Set(baseline.switches.map((row) => row.switch))
  const sites = new Map(baseline.callSites.map(({ at, switches }) => [at, switches]))
  for (const row of report.switches) {
    const times = `${row.count} ${row.count === 1 ? 'operation' : 'operations'}`
    if (!known.has(row.switch)) {
      found.push({ kind: 'switch', name: row.switch, count: row.count, text: `${row.switch}: ${times}` })
      continue
    }
    for (const { at, switches } of report.callSites) {
      const count = countOf(switches, row.switch)
      if (count > 0 && countOf(sites.get(at), row.switch) === 0)
        found.push({
          kind: 'call-site',
          name: row.switch,
          at,
          count,
          text: `${row.switch} at ${at}: ${count} ${count === 1 ? 'operation' : 'operations'}`,
        })
    }
  }
  const more = report.totals.unexplained - baseline.totals.unexplained
  if (more > 0)
    found.push({
      kind: 'unexplained',
      name: '',
      count: more,
      text: `unexplained: ${more} more than in the baseline`,
    })
  const risks = new Set(baseline.risks.map(({ name }) => name))
  for (const { name, count } of report.risks)
    if (!risks.has(name))
      found.push({ kind: 'risk', name, count, text: `risk: ${name}, ${count} operations` })
  return found
}

/** One switch is named 'constructor', like a property of every object. */
function countOf(switches: Readonly<Record<string, number>> | undefined, name: string): number {
  return switches && Object.hasOwn(switches, name) ? switches[name]! : 0
}
