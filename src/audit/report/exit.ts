/** `--fail-on`: the findings that fail a CI run. */
import { checkArray } from '../../ground/arguments.js'
import { checkReport, type Report } from './report.js'

/** 0 = success, 1 = a finding of `--fail-on`, 2 = bad usage or input (set by the command itself). */
export const exitCodes = { ok: 0, found: 1, usage: 2 } as const

/**
 * With a framework view, `any` and the switches count differences that reach the application: a difference that the framework absorbs needs no
 * change. `unexplained` counts all of them, because the reason of these differences is not known.
 * @param failOn names of switches, `any` (every operation whose outcome differs), `unexplained`, `risk`
 * @returns the reasons why the run fails, one sentence each; empty when it passes
 */
export function failures(report: Report, failOn: readonly string[]): readonly string[] {
  checkReport(report)
  checkArray('failOn', failOn)
  const found: string[] = []
  const { differs, unexplained } = report.totals
  const view = report.frameworks
  const where = view ? ' in the application' : ''
  for (const name of failOn) {
    if (name === 'any') {
      const count = view ? view.reaching : differs + unexplained
      if (count > 0) found.push(`any: ${count} operations have another outcome${where}`)
    } else if (name === 'unexplained') {
      if (unexplained > 0) found.push(`unexplained: ${unexplained} operations`)
    } else if (name === 'risk') {
      for (const risk of report.risks) found.push(`risk: ${risk.name}, ${risk.count} operations`)
    } else {
      const count = view
        ? Object.hasOwn(view.switches, name)
          ? view.switches[name]!.reaching
          : 0
        : (report.switches.find((row) => row.switch === name)?.count ?? 0)
      if (count > 0) found.push(`${name}: ${count} operations${where}`)
    }
  }
  return found
}
