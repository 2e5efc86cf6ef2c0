// Asks the registry for known vulnerabilities of what a user installs: npm run advisories
// Exit code 0: there are none. 1: npm's report names them. 2: the registry gave no answer, so nothing was checked.
import { spawnSync } from 'node:child_process'
import { fail, root } from '../setup.mjs'

const done = spawnSync('npm', ['audit', '--omit=dev', '--audit-level=low', '--json'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
  shell: process.platform === 'win32',
})
if (done.error) fail(`npm could not be started: ${done.error.message}`)

const report = readReport(done.stdout)
if (report?.vulnerabilities === undefined) {
  const [reason = 'npm gave no report'] = [report?.message, ...done.stderr.split('\n')].filter(Boolean)
  console.error(`Nothing was checked: the registry does not answer npm audit (${reason}).`)
  process.exit(2)
}
const names = Object.values(report.vulnerabilities).map(({ name, severity }) => `${name} (${severity})`)
console.log(
  names.length === 0
    ? 'No known vulnerability.'
    : `Known vulnerabilities: ${names.join(', ')}. See npm audit.`,
)
process.exit(names.length === 0 ? 0 : 1)

function readReport(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
