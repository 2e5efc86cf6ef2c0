// Proves that the tests catch deliberate faults: npm run mutations -- [--only TEXT]
// Each line of mutations.json is [tests, file, text, other text]. One after the other is put into a copy of the sources, and the tests that
// ought to notice are run there. A table tells which faults were caught; the script fails when one was not.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureDependencies, root } from '../setup.mjs'

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } })
const mutations = JSON.parse(readFileSync(join(root, 'scripts/proofs/mutations.json'), 'utf8'))

/** Arguments of vitest by the name of a set of tests. */
function testsOf(name) {
  if (name === 'hashing') return ['src/hashing/vectors.test.ts']
  // The guarantees of SECURITY.md, by the test that it names.
  if (name.endsWith('.test.ts')) return name.split('|')
  if (name === 'timelines') return ['test/parity/failover', '-t', 'recorded timelines']
  return ['test/differential/recordings-pylibmc.test.ts', '-t', `replayed.*${name.replace('replay ', '')}`]
}

ensureDependencies()
const copy = mkdtempSync(join(tmpdir(), 'memshim-mutations-'))
try {
  for (const name of ['src', 'test', 'scripts', 'package.json', 'tsconfig.json', 'vitest.config.ts'])
    cpSync(join(root, name), join(copy, name), { recursive: true })
  for (const name of ['fixtures', 'node_modules', 'docs', 'python', 'schemas'])
    symlinkSync(join(root, name), join(copy, name), 'dir')
  // A link keeps the time of its file: what is installed is as new as this.
  symlinkSync(join(root, 'package-lock.json'), join(copy, 'package-lock.json'))
  mkdirSync(join(copy, '.cache'))
  process.exitCode = run()
} finally {
  rmSync(copy, { recursive: true, force: true })
}

function run() {
  const chosen = mutations.filter((mutation) => mutation.join(' ').includes(values.only))
  for (const name of new Set(chosen.map(([tests]) => tests)))
    if (!passes(name)) {
      console.error(`Without any mutation the tests fail: ${testsOf(name).join(' ')}`)
      return 1
    }
  let missed = 0
  for (const [name, file, from, to] of chosen) {
    const path = join(copy, file)
    const original = readFileSync(path, 'utf8')
    if (original.split(from).length !== 2) {
      console.log(`NOT ONE PLACE  ${file}: ${from.trim()}`)
      missed++
      continue
    }
    writeFileSync(
      path,
      original.replace(from, () => to),
    )
    const caught = !passes(name)
    writeFileSync(path, original)
    if (!caught) missed++
    console.log(
      `${caught ? 'caught' : 'MISSED'}  ${name.padEnd(24)} ${file}: ${line(from)} → ${line(to) || 'nothing'}`,
    )
  }
  console.log(`${chosen.length - missed} of ${chosen.length} mutations are caught`)
  return missed === 0 ? 0 : 1
}

function passes(name) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--bail', '1', '--retry', '2', ...testsOf(name)],
    {
      cwd: copy,
      stdio: 'ignore',
      env: { ...process.env, MEMSHIM_PYTHON_PYLIBMC: undefined },
    },
  )
  return status === 0
}

function line(text) {
  return text.trim().replace(/\s*\n\s*/g, ' ')
}
