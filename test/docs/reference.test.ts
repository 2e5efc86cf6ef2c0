/** Every citation of docs/reference, in code, tests, documentation, scenarios and coverage tables, leads to a section that exists. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { switches } from '../../src/compat/index.js'
import { rowsOf } from '../differential/support/coverage.js'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, 'docs', 'reference')
const pages = new Map(
  readdirSync(folder).map((page) => {
    const text = readFileSync(join(folder, page), 'utf8')
    return [page, new Set([...text.matchAll(/<a id="([^"]+)"><\/a>/g)].map((match) => match[1]!))]
  }),
)
const titles: Readonly<Record<string, string>> = { hashing: 'placement' }

/** A citation of several sections, such as `#1, #2 and #3 to #4` after the page's path, is split into one for each section. */
function citations(text: string): string[] {
  const list = /reference\/([\w-]+\.md)((?:#[\w.-]*\w)?(?:(?:,| and| to|, and) #[\w.-]*\w)*)/g
  return [...text.matchAll(list)].flatMap(([, page, anchors = '']) => {
    const found = [...anchors.matchAll(/#([\w.-]*\w)/g)]
    return found.length === 0 ? [`${page}`] : found.map(([, anchor]) => `${page}#${anchor}`)
  })
}

function exists(citation: string): boolean {
  const [page = '', anchor] = citation.split('#')
  return anchor === undefined ? pages.has(page) : (pages.get(page)?.has(anchor) ?? false)
}

/** What git tracks and what it does not ignore, where git can say; a packed copy without git has nothing to check here. */
function trackedFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  return listed
    .split('\n')
    .filter((name) => /\.(ts|mjs|py|md|json)$/.test(name))
    .filter((name) => !/^(fixtures\/(recordings|vectors|conversations)|package-lock)/.test(name))
}

describe('citations of docs/reference', () => {
  const cited = trackedFiles().flatMap((name) => {
    try {
      return citations(readFileSync(join(root, name), 'utf8')).map((citation) => ({ name, citation }))
    } catch (error) {
      // A file that git still lists and that has just been removed.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  })

  it('there are some for each page', () => {
    for (const page of ['pylibmc.md', 'python-memcached.md', 'placement.md', 'field.md'])
      expect(cited.filter(({ citation }) => citation.startsWith(page)).length, page).toBeGreaterThan(3)
  })

  it('each leads to a section', () => {
    expect(cited.filter(({ citation }) => !exists(citation))).toEqual([])
  })

  it('no file cites a specification that is not in the repository', () => {
    const old = trackedFiles().filter((name) =>
      /\bspec\/(pylibmc|python-memcached|hashing|field)/.test(readFileSync(join(root, name), 'utf8')),
    )
    expect(old).toEqual([])
  })
})

it('the table of switches cites sections and traps of python-memcached.md', () => {
  for (const { name, reference } of switches)
    for (const anchor of reference)
      expect(exists(`python-memcached.md#${anchor}`), `${name}: ${anchor}`).toBe(true)
})

it.each(['pylibmc', 'python-memcached'])('the coverage table of %s names sections of its page', (library) => {
  for (const { section } of rowsOf(library)) expect(exists(`${library}.md#${section}`), section).toBe(true)
})

it('scenarios name sections', () => {
  const scenarios = join(root, 'fixtures', 'scenarios')
  const missing: string[] = []
  for (const topic of readdirSync(scenarios))
    for (const file of readdirSync(join(scenarios, topic))) {
      const { spec = [] } = JSON.parse(readFileSync(join(scenarios, topic, file), 'utf8')) as {
        spec?: string[]
      }
      for (const reference of spec) {
        const [library = '', section] = reference.split(' ')
        const page = `${titles[library] ?? library}.md`
        if (!exists(section === undefined ? page : `${page}#${section}`))
          missing.push(`${topic}/${file}: ${reference}`)
      }
    }
  expect(missing).toEqual([])
})
