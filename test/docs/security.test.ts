/** Every guarantee of SECURITY.md names tests that exist and run. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const text = readFileSync(join(root, 'SECURITY.md'), 'utf8')
const section = text.slice(text.indexOf('## What memshim guarantees'), text.indexOf('## How a release'))
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)

test('every guarantee has a test', () => {
  expect(rows.length).toBeGreaterThan(12)
  for (const row of rows) expect(row).toMatch(/\]\((?:test|src)\/[^)]+\.test\.ts\) *[,|]/)
})

test.each([...new Set([...section.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => path!))])(
  '%s has tests',
  (path) => {
    expect(existsSync(join(root, path))).toBe(true)
    expect(readFileSync(join(root, path), 'utf8')).toMatch(/\b(?:test|it)(?:\.|\()/)
  },
)

const mutations = JSON.parse(
  readFileSync(join(root, 'scripts', 'proofs', 'mutations.json'), 'utf8'),
) as readonly (readonly [tests: string, file: string, from: string, to: string])[]

test.each(mutations)('npm run mutations finds its place: %s, %s: %s', (tests, file, from) => {
  expect(readFileSync(join(root, file), 'utf8').split(from)).toHaveLength(2)
  for (const path of tests.endsWith('.test.ts') ? tests.split('|') : [])
    expect(existsSync(join(root, path)), path).toBe(true)
})

test('the workflow publishes with provenance, after audit, checks and tests', () => {
  const workflow = readFileSync(join(root, '.github', 'workflows', 'publish.yml'), 'utf8')
  const steps = [
    'npm ci',
    'npm run advisories',
    'npm run check',
    'npm test',
    'npm run --silent sbom > sbom.cdx.json',
    'npm run build',
    'npm pkg set repository.type=git',
    'npm publish --ignore-scripts --provenance',
  ]
  const places = steps.map((step) => workflow.indexOf(`run: ${step}`))
  expect(places.every((place) => place > 0)).toBe(true)
  expect([...places].sort((a, b) => a - b)).toEqual(places)
})

test('the bill of materials has every package that a user installs, and no other', {
  timeout: 120_000,
}, () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; dev?: boolean; devOptional?: boolean }>
  }
  const installed = Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path, { version }]) => `${path.replace(/.*node_modules\//, '')}@${version}`)
  const bill = JSON.parse(
    execFileSync(process.execPath, [join(root, 'scripts', 'release', 'sbom.mjs')], { encoding: 'utf8' }),
  )
  const components = bill.components as { name: string; version: string }[]
  expect(components.map(({ name, version }) => `${name}@${version}`).sort()).toEqual(installed.sort())
  expect(installed.length).toBeGreaterThan(2)
  for (const { ref, dependsOn } of bill.dependencies)
    for (const name of [ref, ...dependsOn])
      expect([...installed, bill.metadata.component['bom-ref']]).toContain(name)
})
