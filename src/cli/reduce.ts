/** `memshim audit --reduce`: writes the files that show one finding with the fewest lines. */
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type AuditOptions,
  reduce,
  reducedScenario,
  reducedTest,
  reproPython,
  type Trace,
  traceOf,
  writeTrace,
} from '../audit/index.js'
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

/** @returns what to print @throws UsageError for a folder that cannot be written */
export async function writeReduced(
  trace: Trace,
  finding: string,
  folder: string,
  options: AuditOptions,
): Promise<string> {
  const reduced = await reduce(trace, finding, options)
  const name = finding.replace(/[^a-z0-9-]/g, '-')
  const traceName = `${name}.jsonl`
  const repro = reproPython(reduced)
  try {
    await makeFolder(folder)
    await writeTrace(join(folder, traceName), traceOf(traceName, reduced.header, reduced.events))
    await writeFile(join(folder, 'repro.py'), repro)
    await writeFile(join(folder, `${name}.scenario.json`), reducedScenario(reduced))
    await writeFile(join(folder, `${name}.test.mjs`), reducedTest(reduced, traceName))
  } catch (error) {
    throw new UsageError(
      `${folder} cannot be written: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    )
  }
  const lines = reduced.events.length
  return `${finding}: ${lines} of ${reduced.before.toLocaleString('en')} lines show it
  ${join(folder, 'repro.py')}   run it with a Python that has python-memcached, and with one that has pylibmc
  ${join(folder, traceName)}   the lines as a trace
  ${join(folder, `${name}.test.mjs`)}   the same as a test (node --test)
  ${join(folder, `${name}.scenario.json`)}   the same as a scenario for the recorder
`
}
