/** `memshim audit --reduce`: writes the files that show one finding with the fewest lines. */

import { access, constants, mkdir, rmdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type AuditOptions,
  type Reduced,
  reduce,
  reducedScenario,
  reducedTest,
  reproPython,
  type Trace,
  traceOf,
  writeTrace,
} from '../audit/index.js'
import { fileReason } from '../ground/file-error.js'
import { UsageError } from './usage.js'

/** As mkdir with `recursive`, which does not end if the file system cannot create folders (/proc). */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path || (await isThere(parent))) throw error
    await makeFolder(parent)
    await mkdir(path)
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** The written files. */
export interface WrittenFinding {
  readonly finding: string
  /** Lines that show it, and lines of the whole trace. */
  readonly lines: number
  readonly before: number
  readonly files: {
    readonly repro: string
    readonly trace: string
    readonly test: string
    readonly scenario: string
  }
}

/** @throws UsageError for a folder that cannot be written, before anything is replayed; the errors of `reduce` */
export async function writeReduced(
  trace: Trace,
  finding: string,
  folder: string,
  options: AuditOptions,
): Promise<WrittenFinding> {
  const unwritable = (error: unknown) => new UsageError(`${folder} cannot be written: ${fileReason(error)}`)
  const isOurs = !(await isThere(folder))
  let reduced: Reduced
  try {
    await makeFolder(folder)
    await access(folder, constants.W_OK)
  } catch (error) {
    throw unwritable(error)
  }
  try {
    reduced = await reduce(trace, finding, options)
  } catch (error) {
    if (isOurs) await rmdir(folder).catch(() => undefined)
    throw error
  }
  const name = finding.replace(/[^a-z0-9-]/g, '-')
  const traceName = `${name}.jsonl`
  const repro = reproPython(reduced)
  const files = {
    repro: join(folder, 'repro.py'),
    trace: join(folder, traceName),
    test: join(folder, `${name}.test.mjs`),
    scenario: join(folder, `${name}.scenario.json`),
  }
  try {
    await writeTrace(files.trace, traceOf(traceName, reduced.header, reduced.events))
    await writeFile(files.repro, repro)
    await writeFile(files.scenario, reducedScenario(reduced))
    await writeFile(files.test, reducedTest(reduced, traceName))
  } catch (error) {
    throw unwritable(error)
  }
  return { finding, lines: reduced.events.length, before: reduced.before, files }
}

export function writtenText({ finding, lines, before, files }: WrittenFinding): string {
  return `${finding}: ${lines} of ${before.toLocaleString('en')} lines show it
  ${files.repro}   run it with a Python that has python-memcached, and with one that has pylibmc
  ${files.trace}   the lines as a trace
  ${files.test}   the same as a test (node --test)
  ${files.scenario}   the same as a scenario for the recorder
`
}
