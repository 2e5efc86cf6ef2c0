/** Every relative link of the Markdown pages leads to a file or folder. `npm run docs` also checks sections, on the built site. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')

const pages = ['.', 'docs', 'fixtures', 'bench', 'examples'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: folder !== '.', encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
    .map((name) => join(folder, name)),
)

/** Targets of `[text](target)` outside of code. */
function targets(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8')
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
}

test('relative links lead to files', () => {
  expect(pages.length).toBeGreaterThan(20)
  const broken = pages.flatMap((page) =>
    targets(page)
      .filter((target) => !/^([a-z]+:|#)/.test(target))
      .filter((target) => !existsSync(join(root, dirname(page), decodeURI(target.replace(/#.*$/, '')))))
      .map((target) => `${page}: ${target}`),
  )
  expect(broken).toEqual([])
})
