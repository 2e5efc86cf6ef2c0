// Virtual environments with the real Python libraries, for the live tests. Optional: without Python those tests say so.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

const versions = JSON.parse(readFileSync(join(root, 'src', 'rules', 'versions.json'), 'utf8'))
/** Libraries that the tests ask live, with the environment variable that names their interpreter. */
const VARIABLES = Object.fromEntries(
  Object.entries(versions).flatMap(([library, columns]) =>
    Object.entries(columns).flatMap(([version, { live }]) => (live ? [[`${library}-${version}`, live]] : [])),
  ),
)
/** Their names. */
export const liveLibraries = Object.keys(VARIABLES)

/** Environment variables that name the interpreters, and what is missing with the reason. */
export function pythonEnvironments() {
  if (process.env.MEMSHIM_PYTHON === 'none') return { env: {}, skipped: 'MEMSHIM_PYTHON=none' }
  const python = process.env.MEMSHIM_PYTHON ?? ['python3', 'python'].find((name) => runs(name))
  if (!python) return { env: {}, skipped: 'no python3 on PATH' }
  const done = spawnSync(python, [join(root, 'fixtures', 'record', 'environments.py')], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 900_000,
  })
  if (done.status !== 0) {
    const why = (done.stderr ?? '').trim().split('\n').at(-1)
    return {
      env: { MEMSHIM_PYTHON: python },
      skipped: why || `${python} ended with ${done.status ?? done.signal}`,
    }
  }
  const made = JSON.parse(done.stdout)
  const env = { MEMSHIM_PYTHON: python }
  for (const [name, variable] of Object.entries(VARIABLES)) if (made[name]) env[variable] = made[name]
  const missing = Object.keys(VARIABLES).filter((name) => !made[name])
  return { env, skipped: missing.length > 0 ? `could not be installed: ${missing.join(', ')}` : undefined }
}

function runs(name) {
  const done = spawnSync(name, ['-c', 'import sys, venv; sys.exit(sys.version_info < (3, 8))'], {
    stdio: 'ignore',
  })
  return done.status === 0
}
