/** `memshim parity`: compares memshim with the Python library on the user's machine. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import {
  compareLibrary,
  embeddedServers,
  InterpreterError,
  inspectInterpreter,
  memcachedOnPath,
  type ParityReport,
  type PythonLibraryName,
  realServers,
  type ServerKind,
  shippedScenarios,
} from '../../parity/index.js'
import { newestVersion } from '../../server/index.js'
import { forTerminal } from '../for-terminal.js'
import { commaList, listed, UsageError } from '../usage.js'

interface Flags {
  readonly python: string
  readonly library?: string
  readonly memcached?: string
  readonly embedded?: true | string
  readonly only?: string[]
  readonly json?: boolean
}

const libraryNames: readonly PythonLibraryName[] = ['python-memcached', 'pylibmc', 'pymemcache']
/** The library differs from every preset. */
const different = 1

export function parityCommand(): Command {
  return new Command('parity')
    .description(
      'Compare memshim with the python-memcached, pylibmc or pymemcache that a Python interpreter has.',
    )
    .requiredOption('--python <path>', 'Python interpreter with the library, e.g. venv/bin/python')
    .option('--library <name>', `${listed(libraryNames)}; default: those that are installed`)
    .option('--memcached <path>', 'memcached binary; default: the one on PATH')
    .option(
      '--embedded [version]',
      "use memshim's embedded server, as this version of memcached, instead of a binary",
    )
    .option('--only <names>', 'only these scenarios: name,… or topic/', commaList)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ memshim parity --python venv/bin/python
  $ memshim parity --python python3 --library pylibmc --embedded

Servers and proxies run on free ports of 127.0.0.1 during the comparison.
Exit codes: 0 a preset agrees in every scenario, 1 none does, 2 bad usage.`,
    )
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const servers = chosenServers(flags)
  const scenarios = chosenScenarios(flags.only)
  const wanted = knownLibrary(flags.library)
  const interpreter = await interpreterAt(flags.python)
  const reports: ParityReport[] = []
  for (const library of chosenLibraries(wanted, interpreter)) {
    const { version } = interpreter.libraries[library]!
    const asked = { library, version, path: interpreter.path, python: interpreter.python }
    for (const binary of library === 'pylibmc' ? [false, true] : [false])
      reports.push(await compareLibrary({ ...asked, binary }, servers, scenarios))
  }
  process.stdout.write(
    flags.json ? `${JSON.stringify(reports, null, 2)}\n` : forTerminal(reports.map(described).join('\n')),
  )
  if (reports.some(({ differences }) => differences.length > 0)) process.exitCode = different
}

function chosenServers({ memcached, embedded }: Flags): ServerKind {
  if (embedded !== undefined) {
    if (memcached !== undefined) throw new UsageError('--memcached and --embedded exclude each other')
    return embeddedServers(embedded === true ? newestVersion : embedded)
  }
  const binary = memcached ?? memcachedOnPath()
  if (binary === undefined)
    throw new UsageError(
      'no memcached on PATH: install one, name it with --memcached PATH, or use --embedded for memshim’s own server',
    )
  try {
    return realServers(binary)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw new UsageError(
      `--memcached ${binary} is not a memcached${code ? ` (${code})` : ''}: name a binary, or use --embedded`,
    )
  }
}

function chosenScenarios(only: readonly string[] | undefined) {
  const all = shippedScenarios()
  if (only === undefined) return all
  const chosen = all.filter(({ name }) =>
    only.some((wanted) => (wanted.endsWith('/') ? name.startsWith(wanted) : name === wanted)),
  )
  const unknown = only.filter(
    (wanted) => !all.some(({ name }) => name === wanted || (wanted.endsWith('/') && name.startsWith(wanted))),
  )
  if (unknown.length > 0)
    throw new UsageError(
      `there is no scenario ${listed(unknown)}; topics: ${listed([...new Set(all.map(({ name }) => `${name.split('/')[0]}/`))])}`,
    )
  return chosen
}

type Interpreter = Awaited<ReturnType<typeof inspectInterpreter>>

async function interpreterAt(path: string): Promise<Interpreter> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(
      `--python ${path} is a folder: name the interpreter in it, e.g. ${join(path, 'bin', 'python')}`,
    )
  try {
    return await inspectInterpreter(path)
  } catch (error) {
    if (error instanceof InterpreterError) throw new UsageError(`--python: ${error.message}`)
    throw error
  }
}

function knownLibrary(wanted: string | undefined): PythonLibraryName | undefined {
  const library = libraryNames.find((name) => name === wanted)
  if (wanted !== undefined && !library)
    throw new UsageError(`--library ${wanted} is unknown: choose ${libraryNames.join(' or ')}`)
  return library
}

function chosenLibraries(
  wanted: PythonLibraryName | undefined,
  { path, python, libraries, failures }: Interpreter,
): readonly PythonLibraryName[] {
  const names = wanted ? [wanted] : libraryNames
  const found = names.filter((name) => libraries[name])
  if (found.length > 0) return found
  const why = names.map((name) => `${name}: ${failures[name]}`).join('; ')
  throw new UsageError(
    `${path} (Python ${python}) has no ${names.join(' and no ')} (${why}): name the interpreter that your application runs on`,
  )
}

function described(report: ParityReport): string {
  const { library, version, protocol, python, server, scenarios, leftOut, candidates, differences } = report
  const [nearest, ...others] = candidates
  const over = library === 'pylibmc' ? `, ${protocol} protocol` : ''
  const lines = [
    `${library} ${version} on Python ${python}${over}, ${server}: ${scenarios} scenarios`,
    differences.length === 0
      ? `  All outcomes are those of the preset ${nearest!.names.join(', ')}.`
      : `  The nearest preset is ${nearest!.names.join(', ')}: ${nearest!.agreed} of ${scenarios} scenarios agree.`,
    ...others.slice(0, 2).map(({ names, agreed }) => `  ${names.join(', ')}: ${agreed} of ${scenarios}`),
    ...(leftOut.length > 0 ? [`  Left out, because this version lacks a keyword: ${listed(leftOut)}`] : []),
    ...differences.flatMap(({ scenario, about, spec, difference }) => [
      '',
      `  ${scenario}: ${about}`,
      `    ${difference}`,
      ...(spec.length > 0 ? [`    docs/reference: ${listed(spec)}`] : []),
    ]),
    '',
  ]
  return lines.join('\n')
}
