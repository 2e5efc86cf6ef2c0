// Everything that is checked without running the code: types, lint and format, dead code, and the packed package.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureBuild, ensureDependencies, fail, root } from './setup.mjs'

ensureDependencies()
ensureBuild()

const folder = mkdtempSync(join(tmpdir(), 'memshim-pack-'))
const packed = spawnSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {
  cwd: root,
  stdio: ['ignore', 'ignore', 'inherit'],
  shell: process.platform === 'win32',
})
if (packed.status !== 0) fail('npm pack failed')
const tarball = join(folder, readdirSync(folder)[0])

const checks = [
  ['types', 'typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.json']],
  ['lint and format', '@biomejs/biome/bin/biome', ['check', '.']],
  ['floors', 'dependency-cruiser/bin/dependency-cruise.mjs', ['src', '--config', '.dependency-cruiser.mjs']],
  ['dead code', 'knip/bin/knip.js', []],
  ['public API', join('..', 'scripts', 'release', 'api.mjs'), ['--check']],
  ['package', 'publint/src/cli.js', [tarball, '--strict']],
  // ESM only: require() works through Node's require(esm), so resolving to ESM from CommonJS is intended.
  ['types resolution', '@arethetypeswrong/cli/dist/index.js', [tarball, '--profile', 'esm-only']],
]
const failed = []
for (const [what, file, args] of checks) {
  console.log(`\n── ${what}`)
  const done = spawnSync(process.execPath, [join(root, 'node_modules', file), ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  if (done.status !== 0) failed.push(what)
}
rmSync(folder, { recursive: true, force: true })
if (failed.length > 0) fail(`check failed: ${failed.join(', ')}`)
console.log('\nAll checks passed.')
