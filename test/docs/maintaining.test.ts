/** Every path and every section that docs/maintaining.md names exists. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const text = readFileSync(join(root, 'docs', 'maintaining.md'), 'utf8')
const paths = [...text.matchAll(/`([\w.-]+\/[\w./-]+|\.?[\w-]+\.(?:md|mjs))`/g)].map(([, path]) => path!)
const links = [...text.matchAll(/\]\(([^)#]+)(?:#([^)]+))?\)/g)].map(
  ([, path, anchor]) => [path!, anchor] as const,
)

test('the page names paths and links', () => {
  expect(paths.length).toBeGreaterThan(40)
  expect(links.length).toBeGreaterThan(8)
})

test.each([...new Set(paths)])('%s exists', (path) => {
  expect(existsSync(join(root, path))).toBe(true)
})

test.each(links)('the link to %s %s opens', (path, anchor) => {
  const target = join(root, 'docs', path)
  expect(existsSync(target)).toBe(true)
  if (anchor !== undefined) expect(readFileSync(target, 'utf8')).toContain(`<a id="${anchor}"></a>`)
})
