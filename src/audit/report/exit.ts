/** `--fail-on`: which findings fail a CI run. */
import { checkArray } from '../../ground/arguments.js'
import { checkReport, type Report } from './report.js'

/** 0 = fine, 1 = something named by `--fail-on` was found, 2 = bad usage or input (said by the command itself). */
export const exitCodes = { ok: 0, found: 1, usage: 2 } as const

/**
 * @param failOn names of switches, `any` (every operation whose outcome differs),  `unexplained`, `risk`
 * @returns why the run fails, one sentence each; empty when it passes
 */
export function failures(report: Report, failOn: readonly string[]): readonly string[] {
  checkReport(report)
  checkArray('failOn', failOn)
  const found: string[] = []
  const { differs, unexplained } = report.totals
  for (const name of failOn) {
    if (name === 'any') {
      if (differs + unexplained > 0)
        found.push(`any: ${differs + unexplained} operations have another outcome`)
    } else if (name === 'unexplained') {
      if (unexplained > 0) found.push(`unexplained: ${unexplained} operations`)
    } else if (name === 'risk') {
      for (const risk of report.risks) found.push(`risk: ${risk.name}, ${risk.count} operations`)
    } else {
      const row = report.switches.find((row) => row.switch === name)
      if (row) found.push(`${name}: ${row.count} operations`)
    }
  }
  return found
}
