/** `memshim parity`: what it finds in real libraries, in a changed one, and what it says when something is missing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { inspectInterpreter, type ParityReport, shippedScenarios } from '../../../src/parity/index.js'
import { fixtures } from '../../differential/support/recordings.js'
import { installed, installedPymemcache, skipped } from '../../support/python-library.js'

const main = join(fixtures, '..', 'dist', 'cli', 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'memshim-parity-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function memshim(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [main, 'parity', ...args], { env: { ...process.env, ...env } })
  let out = ''
  let complaint = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  const [code] = await once(child, 'close')
  return { code, out, complaint }
}

function interpreterOf(version: string): string | undefined {
  return installed.find((one) => one.version === version)?.python
}

/** One scenario that tells 1.59 from its neighbours, and some that are the same everywhere. */
const few = ['--only', 'times/touch-missing,removal/delete-time,values/text,counters/missing', '--embedded']
const deadline = 120_000

describe('the scenarios that the package brings along', () => {
  it('are those of fixtures/scenarios', () => {
    for (const { name, ...scenario } of shippedScenarios())
      expect(scenario, name).toEqual(
        JSON.parse(readFileSync(join(fixtures, 'scenarios', `${name}.json`), 'utf8')),
      )
  })
})

describe('what is missing is named', () => {
  it.each([
    ['a path that does not exist', ['--python', '/nowhere/python'], '/nowhere/python cannot be run: ENOENT'],
    ['a folder', ['--python', folder], 'is a folder: name the interpreter in it'],
    ['a program that is not a Python', ['--python', process.execPath], 'is not a Python 2.7 or 3'],
    [
      'an unknown library',
      ['--python', process.execPath, '--library', 'redis'],
      '--library redis is unknown',
    ],
    [
      'an unknown scenario',
      ['--python', process.execPath, '--only', 'no/such'],
      'there is no scenario no/such',
    ],
  ])('%s', async (_, args, message) => {
    const { code, complaint } = await memshim([...args, '--embedded'])
    expect(complaint).toContain(message)
    expect(code).toBe(2)
  })

  it('a memcached that is none', async () => {
    const { code, complaint } = await memshim(['--python', 'python3', '--memcached', '/nowhere/memcached'])
    expect(complaint).toContain('--memcached /nowhere/memcached is not a memcached (ENOENT)')
    expect(code).toBe(2)
  })

  it('no memcached on PATH', async () => {
    const { code, complaint } = await memshim(['--python', 'python3'], { PATH: folder })
    expect(complaint).toContain('no memcached on PATH')
    expect(complaint).toContain('--embedded')
    expect(code).toBe(2)
  })

  it.skipIf(!interpreterOf('1.59'))('a library that the interpreter does not have', async () => {
    const { code, complaint } = await memshim([
      ...['--python', interpreterOf('1.59')!, '--library', 'pylibmc', '--embedded'],
    ])
    expect(complaint).toContain("has no pylibmc (pylibmc: ModuleNotFoundError: No module named 'pylibmc')")
    expect(code).toBe(2)
  })
})

describe(`real libraries${installed.every(({ python }) => python) ? '' : ` (left out in part: ${skipped})`}`, () => {
  for (const { library, version, python } of installed)
    it.skipIf(!python)(
      `${library} ${version}`,
      async () => {
        const { code, out } = await memshim(['--python', python!, ...few, '--json'])
        const reports: ParityReport[] = JSON.parse(out)
        for (const report of reports) {
          expect(report.differences).toEqual([])
          expect(report.version).toBe(version)
          if (library === 'python-memcached')
            expect(report.candidates[0]!.names).toContain(`python-memcached-${version}`)
        }
        expect(reports.map(({ protocol }) => protocol)).toEqual(
          library === 'pylibmc' ? ['text', 'binary'] : ['text'],
        )
        expect(code).toBe(0)
      },
      deadline,
    )

  for (const { version, python } of installedPymemcache)
    it.skipIf(!python)(
      `pymemcache ${version}, and the preset that is nearest to it`,
      async () => {
        const own =
          'pymemcache-keys/check-key,pymemcache-removal/expire,pymemcache-cas/flow,pymemcache-hash/many'
        const { code, out } = await memshim(['--python', python!, '--only', own, '--embedded', '--json'])
        const [report, ...others]: ParityReport[] = JSON.parse(out)
        expect(others).toEqual([])
        expect(report!.candidates[0]!.names).toEqual([`pymemcache-${version}`])
        expect(report!.scenarios).toBe(4)
        expect(report!.differences).toEqual([])
        expect(code).toBe(0)
      },
      deadline,
    )

  it.skipIf(!interpreterOf('1.59'))(
    'a changed copy of 1.59 is nearest to 1.59, and the change is named',
    async () => {
      const python = interpreterOf('1.59')!
      const { file } = (await inspectInterpreter(python)).libraries['python-memcached']!
      const source = readFileSync(file, 'utf8')
      const changed = source.replace('return int(line)', 'return int(line) + 1')
      expect(changed).not.toBe(source)
      writeFileSync(join(folder, 'memcache.py'), changed)
      const { code, out } = await memshim(
        ['--python', python, '--only', 'times/touch-missing,removal/delete-time,counters/', '--embedded'],
        { PYTHONPATH: folder, MEMSHIM_LIBRARY_VERSION: '1.70' },
      )
      expect(out).toContain('python-memcached 1.70')
      expect(out).toContain('The nearest preset is python-memcached-1.59')
      expect(out).toMatch(/counters\/int: .*\n +step \d, incr: library \d+, here \d+\n/)
      expect(code).toBe(1)
    },
    deadline,
  )
})
