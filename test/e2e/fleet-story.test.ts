/** The example from a running fleet to a decision runs on real parts, where an interpreter has Django, python-memcached and pylibmc. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
/** Both backends are in Django 3.2 and 4.0. */
const python = join(root, '.cache', 'venvs', 'framework-Django-4.0.10', 'bin', 'python')
const memcached = process.env.MEMSHIM_MEMCACHED ?? 'memcached'

const missing = !existsSync(join(root, 'dist', 'scan', 'index.js'))
  ? 'npm run build has not been run'
  : !runs(python, ['-c', 'import django, memcache, pylibmc'])
    ? 'no environment with Django 4.0, python-memcached and pylibmc'
    : runs(memcached, ['-V'])
      ? undefined
      : 'no memcached'

function runs(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

it.skipIf(missing !== undefined)(
  `finds, fixes and moves${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  { timeout: 180_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'memshim-fleet-'))
    try {
      const story = join(root, 'examples', 'fleet', 'story.mjs')
      const { stdout } = await promisify(execFile)(process.execPath, [story, python, folder])
      expect(stdout).toMatch(/missing-counter: \d+ before, 0 now\n {3}missing-argument: \d+ before, 0 now/)
      expect(stdout).toMatch(
        /of the first 60 pages come from the cache that python-memcached filled; 0 of 300/,
      )
      expect(stdout).toContain('the trace of pylibmc has 0 calls that raised')
      expect(readdirSync(folder)).toEqual(
        expect.arrayContaining(['before.html', 'before.jsonl', 'packets.jsonl']),
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
