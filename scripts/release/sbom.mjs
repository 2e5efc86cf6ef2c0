// The software bill of materials (CycloneDX, JSON) of what a user installs: npm run --silent sbom
// npm's own `--omit=dev` also leaves out a runtime dependency that a development tool needs as well, so all packages are asked for here,
// and those that npm marks as used in development alone are taken out.
import { spawnSync } from 'node:child_process'
import { fail, root } from '../setup.mjs'

const done = spawnSync('npm', ['sbom', '--package-lock-only', '--sbom-format=cyclonedx'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
  shell: process.platform === 'win32',
})
if (done.error) fail(`npm could not be started: ${done.error.message}`)
if (done.status !== 0) fail(`npm sbom failed: ${done.stderr}`)

const bill = JSON.parse(done.stdout)
const isForDevelopment = ({ properties = [] }) =>
  properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true')
const components = bill.components.filter((component) => !isForDevelopment(component))
const kept = new Set([bill.metadata.component, ...components].map((component) => component['bom-ref']))
const dependencies = bill.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => kept.has(other)) }))
process.stdout.write(`${JSON.stringify({ ...bill, components, dependencies }, null, 2)}\n`)
