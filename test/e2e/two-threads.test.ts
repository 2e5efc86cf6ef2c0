/** An audit in two threads gives the report of one thread, on every shipped trace; the built package is what has threads. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { AuditOptions, Report } from '../../src/audit/index.js'

// A path that is not a literal: types are checked without a build.
const built: string = '../../dist/audit/index.js'
const { audit, readTrace } = (await import(built)) as typeof import('../../src/audit/index.js')

const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'traces')

async function report(path: string, options: AuditOptions): Promise<Omit<Report, 'timing'>> {
  const { timing, ...rest } = await audit(await readTrace(path), options)
  return rest
}

test.each(readdirSync(folder))('%s', { timeout: 120_000 }, async (name) => {
  const path = join(folder, name)
  const one = await report(path, { threads: 1 })
  expect(await report(path, { threads: 2 })).toEqual(one)
  const repaired = await report(path, { threads: 1, calls: 'repaired', binary: true })
  expect(await report(path, { threads: 2, calls: 'repaired', binary: true })).toEqual(repaired)
})
