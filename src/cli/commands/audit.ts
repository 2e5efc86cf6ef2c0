/** `memshim audit`: replay a trace (or scenario), print the report, write JSON and HTML, set the exit code. */

import { access, constants, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import {
  type AuditOptions,
  audit,
  exitCodes,
  expandPatterns,
  failures,
  frameworkTarget,
  frameworkTargets,
  knownColumns,
  knownFrameworks,
  knownPresets,
  knownSwitches,
  newFindings,
  type Outage,
  operationRow,
  parseBaseline,
  parseOutage,
  type Report,
  readScenario,
  readTraces,
  renderHtml,
  renderJson,
  renderJunit,
  renderMarkdown,
  renderSarif,
  renderTerminal,
  type Trace,
  TraceError,
  targetOptionNames,
  targetText,
} from '../../audit/index.js'
import { fileReason } from '../../ground/file-error.js'
import { behavior, checked, type Flags, targetOption, wholeNumber } from '../audit-flags.js'
import { inputFile, largest } from '../input-file.js'
import { progressLine } from '../progress.js'
import { writeReduced, writtenText } from '../reduce.js'
import { type RowFile, rowFile } from '../row-file.js'
import { commaList, listed, UsageError } from '../usage.js'

export function auditCommand(): Command {
  return new Command('audit')
    .description(
      'Replay a trace of an application on its library and on another one, and report the differences.',
    )
    .argument(
      '<traces...>',
      "traces of one application (JSON Lines, plain or .gz; patterns like 'app.*.jsonl'), or one scenario (.json)",
    )
    .option(
      '--to <library-version>',
      `library that the application moves to: all, one of ${listed(knownColumns())}, or a framework's backend (${listed(frameworkTargets())}); default: pylibmc-1.6.3`,
    )
    .option('--from <library-version>', 'library that the application uses, if the trace names another one')
    .option(
      '--preset <name>',
      `preset to emulate (${listed(knownPresets())}); default: the version of the trace`,
    )
    .option('--embedded <n>', 'number of embedded servers; default: as many as the application had')
    .option(
      '--server-version <version>',
      'version of memcached to replay on; default: the one of the trace, else the newest',
    )
    .option(
      '--servers <list>',
      'real servers instead, two for every server of the trace; needs --flush',
      commaList,
    )
    .option('--flush', 'allow the real servers to be emptied')
    .option('--behavior <name=value>', 'behavior of the pylibmc side, repeatable (ketama=1)', behavior)
    .option(
      '--negative-timeout <rule>',
      'negative times of the pylibmc side: send (as version 1.6.3; default) or zero (as documented)',
    )
    .option('--binary', 'use the binary protocol on the pylibmc side')
    .option(
      '--option <name=value>',
      `keyword of pymemcache as the target, repeatable (${listed(targetOptionNames)})`,
      targetOption,
    )
    .option('--repaired', 'rewrite calls that the target does not accept into its form first')
    .option(
      '--outage <when>',
      "assume that a server is down and comes back empty: 'server 0: 5s-10s', in seconds of the trace (with ', items kept': not empty); repeatable",
      (text: string, earlier: Outage[] = []) => [...earlier, parseOutage(text)],
    )
    .option(
      '--framework <name>',
      `framework that decides which differences reach the application: none, or ${listed(knownFrameworks())}, with the version on the target's side like Django==5.2; default: the frameworks in the trace`,
    )
    .option(
      '--json <file>',
      'write the report, or what --reduce and --to all say, as JSON (- = standard output, instead of the text, also for the next four)',
    )
    .option('--html <file>', 'write the report as one HTML file')
    .option('--markdown <file>', 'write it as Markdown, for a pull request')
    .option('--junit <file>', 'write it as JUnit XML, for CI')
    .option('--sarif <file>', 'write it as SARIF 2.1.0, for code hosts')
    .option('--rows <file>', 'write the operations with a difference as data: .ndjson (.gz) or .parquet')
    .option('--all-rows', 'with --rows: every operation')
    .option('--baseline <report>', 'earlier JSON report: exit with 1 when there is a new finding')
    .option(
      '--reduce <finding>',
      'shrink the trace to the fewest lines that show a switch, unexplained, or line:N',
    )
    .option('--out <folder>', 'with --reduce: folder for its files; default: the working folder')
    .option('--one-application', 'the traces belong to one application, also if their headers differ')
    .option('--sample <part>', 'audit a part of the keys (0.1), and estimate the counts of the whole trace')
    .option('--threads <n>', '1 or 2; default: 2 for a long trace without faults')
    .option(
      '--fail-on <what>',
      'exit with 1 when it is found: a switch, any, unexplained, risk; repeatable or a,b',
      commaList,
    )
    .option('--verify', 'check every explanation by a replay with exactly the named switches off')
    .option('--examples <n>', 'examples for every switch in the terminal report', '2')
    .option('-q, --quiet', 'no terminal report')
    .addHelpText(
      'after',
      `
Examples:
  $ memshim audit app.jsonl --html report.html
  $ memshim audit app.jsonl --fail-on unexplained --fail-on missing-counter     (in CI)
  $ memshim audit app.jsonl --behavior ketama=1 --behavior remove_failed=1
  $ memshim audit 'app.*.jsonl' --outage 'server 0: 5s-10s'                     (several processes)
  $ memshim audit app.jsonl --baseline last.json --sarif audit.sarif --markdown comment.md
  $ memshim audit app.jsonl --reduce missing-counter --out repro/
  $ memshim audit app.jsonl --verify --json report.json
  $ memshim audit app.jsonl --to python-memcached-1.62                          (or --to all: a line for each)
  $ memshim audit app.jsonl --to pymemcache-4.0 --html report.html              (the constructor and the calls as they are)
  $ memshim audit app.jsonl --to pymemcache-4.0 --repaired --option default_noreply=false --option serde=pickle_serde
  $ memshim audit app.jsonl --to django-5.1:PyMemcacheCache                     (the client and the calls of the backend)
  $ memshim audit app.jsonl --servers 127.0.0.1:11311,127.0.0.1:11312 --flush

Exit codes: 0 success, 1 a finding of --fail-on or --baseline, 2 bad usage or input, 130 ended by Ctrl-C.
How to record a trace: docs/audit.md.`,
    )
    .action(run)
}

/** Ctrl-C ends the replay, and nothing is left half written. */
async function run(paths: string[], flags: Flags, command: Command): Promise<void> {
  const checkedOptions = checked(flags, command)
  // Otherwise V8 lets the heap of each thread grow to four times its live objects, which takes 100 MB more for a million operations.
  setFlagsFromString('--heap-growing-percent=100')
  const stop = new AbortController()
  const end = () => stop.abort()
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  try {
    await runUntil({ ...checkedOptions, signal: stop.signal }, paths, flags)
  } finally {
    process.off('SIGINT', end)
    process.off('SIGTERM', end)
  }
}

async function runUntil(options: AuditOptions, given: string[], flags: Flags): Promise<void> {
  const examples = wholeNumber('--examples', flags.examples ?? '2', 0)
  const { json, html, markdown, junit, sarif, rows: rowPath } = flags
  const texts = { json, html, markdown, junit, sarif }
  for (const file of Object.values(texts)) if (file !== undefined && file !== '-') await checkWritable(file)
  const paths = await expandPatterns(given)
  await checkDistinct({ ...texts, rows: rowPath }, paths)
  const trace = await open(paths, flags)
  if (flags.reduce !== undefined) {
    const reduced = await writeReduced(trace, flags.reduce, flags.out ?? '.', options)
    if (flags.json !== undefined) await writeJson(flags.json, reduced)
    if (flags.json !== '-') process.stdout.write(writtenText(reduced))
    return
  }
  if (flags.to === 'all') return everyTarget(trace, options, flags.json)
  const baseline = flags.baseline === undefined ? undefined : await readBaseline(flags.baseline)
  const rows = rowPath === undefined ? undefined : await rowFile(rowPath)
  const line = progressLine(process.stderr)
  const report = await auditWith(rows, trace, {
    ...options,
    onProgress: (progress) => line.show(progress),
    ...(rows
      ? {
          onOperation: (operation, verdict) => {
            if (flags.allRows || verdict.status !== 'same') rows.add(operationRow(operation, verdict))
          },
        }
      : {}),
  })
  line.clear()
  await rows?.end()
  const news = baseline && newFindings(report, baseline)
  const reports: readonly (readonly [string, string | undefined, () => string])[] = [
    ['HTML', html, () => renderHtml(report)],
    ['JSON', json, () => renderJson(report)],
    ['Markdown', markdown, () => renderMarkdown(report, news)],
    ['JUnit', junit, () => renderJunit(report, knownSwitches(), news)],
    ['SARIF', sarif, () => renderSarif(report, news)],
  ]
  for (const [, file, render] of reports) {
    if (file === '-') process.stdout.write(render())
    else if (file !== undefined) await write(file, render())
  }
  if (!flags.quiet && !reports.some(([, file]) => file === '-')) {
    process.stdout.write(
      renderTerminal(report, {
        width: process.stdout.columns ?? 100,
        color: useColor(),
        examples,
      }),
    )
    const written = reports.flatMap(([name, file]) => (file === undefined ? [] : `${name} report: ${file}\n`))
    if (written.length > 0) process.stdout.write(`\n${written.join('')}`)
    if (rowPath !== undefined) process.stdout.write(`Operations: ${rowPath}\n`)
  }
  if (news && news.length > 0) {
    process.stderr.write(
      `memshim: new against ${flags.baseline}:\n${news.map(({ text }) => `  ${text}\n`).join('')}`,
    )
    process.exitCode = exitCodes.found
  }
  const found = failures(report, flags.failOn ?? [])
  if (found.length === 0) return
  process.stderr.write(`memshim: failed by --fail-on:\n${found.map((reason) => `  ${reason}\n`).join('')}`)
  process.exitCode = exitCodes.found
}

/** An audit that fails or is ended leaves no rows. */
async function auditWith(rows: RowFile | undefined, trace: Trace, options: AuditOptions): Promise<Report> {
  try {
    return await audit(trace, options)
  } catch (error) {
    await rows?.discard()
    throw error
  }
}

/** One line, or one object, for every target: the number of calls with each effect. */
async function everyTarget(trace: Trace, options: AuditOptions, json: string | undefined): Promise<void> {
  const rows: object[] = []
  const targets = [...knownColumns(), ...frameworkTargets()]
  const width = Math.max(...targets.map((name) => name.length)) + 2
  for (const to of targets) {
    if (to === `${trace.header.library}-${trace.header.version}` && options.from === undefined) continue
    const { targetOptions, binary, behaviors, negativeTimeout, calls, ...others } = options
    const library = frameworkTarget(to)?.library.name ?? to.replace(/-[\d.]+$/, '')
    const pylibmc = library === 'pylibmc' || trace.header.library === 'pylibmc'
    let said: string
    try {
      const report = await audit(trace, {
        ...others,
        to,
        ...(targetOptions && library === 'pymemcache' ? { targetOptions } : {}),
        ...(pylibmc ? { binary, behaviors, negativeTimeout } : {}),
        ...(library === trace.header.library ? {} : { calls }),
      })
      said = targetText(report)
      const { totals, impacts, placement } = report
      rows.push({ to, totals, impacts, moved: placement?.moved ?? 0 })
    } catch (error) {
      // Some versions cannot construct the application's clients: Python 2 has no pickle protocol 5.
      if (!(error instanceof TraceError)) throw error
      said = `cannot be compared: no client of the trace can be made with it (${error.message.split(': ').at(-1)})`
      rows.push({ to, problem: said })
    }
    if (json !== '-') process.stdout.write(`${to.padEnd(width)}${said}\n`)
  }
  if (json !== undefined) await writeJson(json, rows)
}

/** @param path `-` is standard output */
async function writeJson(path: string, value: object): Promise<void> {
  const text = `${JSON.stringify(value, null, 2)}\n`
  if (path === '-') process.stdout.write(text)
  else await write(path, text)
}

async function open(paths: readonly string[], { oneApplication }: Flags): Promise<Trace> {
  const scenario = paths.find((path) => path.endsWith('.json'))
  if (scenario === undefined) return readTraces(paths, { oneApplication })
  if (paths.length > 1) throw new UsageError(`${scenario} is a scenario: audit it alone`)
  return readScenario(scenario)
}

async function readBaseline(path: string): Promise<Report> {
  const named = `--baseline ${path}`
  return parseBaseline((await inputFile(named, path, largest.report)).toString('utf8'), named)
}

/**
 * @param outputs files by the name of the option, `-` for standard output @param traces paths
 * @throws UsageError for an output that would replace another one or a trace
 */
async function checkDistinct(
  outputs: Readonly<Record<string, string | undefined>>,
  traces: readonly string[],
): Promise<void> {
  const taken = new Map<string, string>()
  for (const path of traces) taken.set((await identityOf(path)) ?? path, 'is a trace of this audit')
  for (const [name, path] of Object.entries(outputs)) {
    const identity = path === undefined || path === '-' ? path : await identityOf(path)
    if (identity === undefined) continue
    const other = taken.get(identity)
    if (other !== undefined) throw new UsageError(`--${name} ${path}: this file ${other}`)
    taken.set(identity, `is already that of --${name}`)
  }
}

/** Equal for two paths of one file; undefined for a device, which can be written twice. */
async function identityOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (!found) return resolve(path)
  return found.isFile() ? `${found.dev}:${found.ino}` : undefined
}

/** Checked before a long audit, so that its report can be written at the end. @throws UsageError */
async function checkWritable(path: string): Promise<void> {
  const there = await stat(path).catch(() => undefined)
  if (there?.isDirectory()) throw new UsageError(`${path} cannot be written: it is a folder`)
  try {
    await access(there ? path : dirname(path), constants.W_OK)
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${fileReason(error)}`)
  }
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${fileReason(error)}`)
  }
}

function useColor(): boolean {
  if (process.env.NO_COLOR) return false
  return Boolean(process.env.FORCE_COLOR) || Boolean(process.stdout.isTTY)
}
