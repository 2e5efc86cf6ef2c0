/** The report as JSON: the model itself, indented. */
import { checkReport, type Report } from '../report/report.js'

/** The report as JSON, for other programs. */
export function renderJson(report: Report): string {
  checkReport(report)
  return `${JSON.stringify(report, null, 2)}\n`
}
