/** What shows the rows of a specification: coverage-*.json beside this file, described in docs/formats.md. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Recording } from '../../../src/parity/scenario.js'
import { fixtures } from './recordings.js'

export interface Row {
  readonly section: string
  readonly row: string
  /** `topic/name`, with `*` for any part of a name, `#n` for one step. */
  readonly recordings?: readonly string[]
  /** File under fixtures/vectors, and where it matters the part of it: `file: part`. */
  readonly vectors?: readonly string[]
  /** `file: beginning of a title`. */
  readonly tests?: readonly string[]
  /** Why there is no recording, or not for everything. */
  readonly why?: string
  /** Why there is nothing of the kind here, and so nothing that shows it. */
  readonly absent?: string
}

const root = join(fixtures, '..')

/** @param name of coverage-<name>.json */
export function rowsOf<R extends Row>(name: string): readonly R[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, `coverage-${name}.json`), 'utf8'))
}

/** The recordings that a reference names. */
export function named(recordings: readonly Recording[], reference: string): readonly Recording[] {
  const [name = '', step] = reference.split('#')
  const pattern = new RegExp(
    `^${name
      .split('*')
      .map((part) => part.replace(/[.+?]/g, '\\$&'))
      .join('[^/]*')}$`,
  )
  return recordings.filter(
    (recording) => pattern.test(recording.name) && (step === undefined || recording.steps[Number(step)]),
  )
}

/** Every section is there, and no row twice. */
export function expectSections(rows: readonly Row[], sections: string): void {
  const found = new Set(rows.map(({ section }) => section))
  for (const section of sections.split(' ')) expect(found).toContain(section)
  expect(new Set(rows.map(({ section, row }) => `${section} ${row}`)).size).toBe(rows.length)
}

/** What the row names exists, whatever its recordings are; a row without recordings says why. */
export function expectShown({ recordings = [], vectors = [], tests = [], why, absent }: Row): void {
  if (absent === undefined) expect(recordings.length + vectors.length + tests.length).toBeGreaterThan(0)
  else expect(recordings.length, 'nothing shows what is not there').toBe(0)
  if (recordings.length === 0) expect(absent ?? why, 'says why').toBeTruthy()
  for (const reference of vectors) {
    const [file = '', part] = reference.split(': ')
    const path = join(fixtures, 'vectors', file)
    expect(existsSync(path), file).toBe(true)
    const content = JSON.parse(readFileSync(path, 'utf8'))
    if (part !== undefined)
      expect({ ...content, ...content.cases, ...content.faults }, file).toHaveProperty([part])
  }
  for (const reference of tests) {
    const at = reference.indexOf(': ')
    const path = join(root, reference.slice(0, at))
    expect(existsSync(path), path).toBe(true)
    expect(readFileSync(path, 'utf8')).toContain(reference.slice(at + 2))
  }
}

/** Recordings whose scenario names no section of the library's reference in its `spec`. */
export function withoutSection(
  library: 'pylibmc' | 'python-memcached',
  recordings: readonly Recording[],
): string[] {
  const names = [...new Set(recordings.map(({ name }) => name))]
  return names.filter((name) => {
    const { spec = [] } = JSON.parse(readFileSync(join(fixtures, 'scenarios', `${name}.json`), 'utf8')) as {
      spec?: string[]
    }
    return !spec.some((reference) => reference.startsWith(`${library} `))
  })
}
