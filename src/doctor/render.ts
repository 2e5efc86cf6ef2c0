/** The report for a terminal. */

import { checkMade } from '../ground/arguments.js'
import { printable } from '../ground/printable.js'
import type { DoctorReport } from './doctor.js'

/** Plain text. */
export function renderDoctor(report: DoctorReport): string {
  checkMade('report', report, 'doctor()', ['format', 'servers'])
  return report.servers
    .map(({ server, kind, version, latency, settings, abilities, findings }) => {
      const has = (wanted: boolean) =>
        Object.entries(abilities)
          .filter(([, there]) => there === wanted)
          .map(([name]) => name)
          .join(', ')
      const lines = [
        `${server}: ${kind}${version === undefined ? '' : ` ${version}`}`,
        ...(latency ? [`  latency    ${latency.median} ms (longest ${latency.longest} ms)`] : []),
        ...(has(true) === '' ? [] : [`  has        ${has(true)}`]),
        ...(has(false) === '' ? [] : [`  lacks      ${has(false)}`]),
        ...Object.entries(settings).map(([name, value]) => `  setting    ${name} ${value}`),
        ...findings.map(({ level, text }) => `  ${level.padEnd(10)} ${text}`),
      ]
      return `${lines.map((line) => printable(line)).join('\n')}\n`
    })
    .join('\n')
}
