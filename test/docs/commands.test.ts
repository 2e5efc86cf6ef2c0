/** docs/tools/cli.md names every command of the program. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { memshimProgram } from '../../src/cli/program.js'

test('the page has a row for each command, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'tools', 'cli.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `([a-z]+)` +\|/gm)].map(([, name]) => name)
  expect(rows.sort()).toEqual(
    memshimProgram()
      .commands.map((command) => command.name())
      .sort(),
  )
})
