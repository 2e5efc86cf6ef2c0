/** The example's story runs as docs/migrating.md shows it, with the real python-memcached. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { installed, skipped } from '../support/python-library.js'

const root = join(import.meta.dirname, '..', '..')
const { python } = installed.find(({ version }) => version === '1.59')!
const built = existsSync(join(root, 'dist', 'migration', 'index.js'))
const missing = python === undefined ? skipped : built ? undefined : 'npm run build has not been run'

it.skipIf(missing !== undefined)(
  `prints what docs/migrating.md says${missing ? ` (skipped: ${missing})` : ''}`,
  async () => {
    const story = join(root, 'examples', 'shared-cache', 'story.mjs')
    const { stdout } = await promisify(execFile)(process.execPath, [story, python!])
    const guide = readFileSync(join(root, 'docs', 'migrating.md'), 'utf8')
    expect(/```text\n([\s\S]*?)```/.exec(guide)?.[1]).toBe(masked(stdout))
  },
)

function masked(text: string): string {
  return text.replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:…')
}
