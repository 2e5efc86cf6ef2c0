/** Words that the terminal and the HTML report share. */

import type { AnalysisRow, HotKey } from '../analyses/index.js'
import type { Impact, Outcome } from '../compare/outcome.js'
import type { LibraryName } from '../methods/python-signatures.js'
import { pythonText } from '../report/abridge.js'
import { checkReport, type Report, type SwitchRow } from '../report/report.js'

export const impactWords: Readonly<Record<Impact, { readonly short: string; readonly long: string }>> = {
  raises: { short: 'raises', long: 'an exception is raised where the application’s library returned' },
  'stops-raising': { short: 'other exception', long: 'another exception, or no exception' },
  value: { short: 'other value', long: 'both return a value, but different ones' },
  truth: { short: 'other branch', long: 'an if on the result takes the other branch' },
  spelling: { short: 'spelling', long: 'equal in Python (1 == True); only an identity test differs' },
  state: { short: 'hidden', long: 'the same outcome, but another stored value or server' },
}

export function outcomeText(outcome: Outcome): string {
  if ('result' in outcome) return pythonText(outcome.result)
  const { class: name, retcode, message } = outcome.raises
  const text = message === undefined || message === '' ? '' : `: ${message}`
  return `raises ${name}${retcode === undefined ? '' : ` (${retcode})`}${text}`
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`
}

export function percent(part: number, whole: number): string {
  if (whole === 0) return '–'
  const value = (100 * part) / whole
  // A difference is never rounded away.
  if (part < whole && value > 99.95) return '99.9 %'
  return `${part === whole ? 100 : value.toFixed(1)} %`
}

/** The names of the two sides: libraries, or versions of one library. */
export function sideNames({ settings: { from, to } }: Report): readonly [before: string, after: string] {
  const pair = [from, to].map((name) => name.replace(/-[\d.]+$/, ''))
  return pair.includes('pylibmc') && !pair.includes('pymemcache')
    ? ['python-memcached', 'pylibmc']
    : [from, to]
}

/** The name of the emulation: the preset of python-memcached, or the library itself. */
export function emulatedText({ settings, trace }: Report): string {
  return trace.library === 'python-memcached' ? settings.preset : settings.from
}

/** One sentence with the result of the audit. */
export function verdictText(report: Report): string {
  const { totals, switches } = report
  const [, target] = sideNames(report)
  const changed = totals.differs + totals.unexplained
  if (totals.operations === 0) return 'The trace has no operation.'
  const risky = report.risks.reduce((sum, risk) => sum + risk.count, 0)
  const risks = risky > 0 ? ` ${count(risky, 'operation')} must not be relied on.` : ''
  if (changed + totals.announced === 0)
    return `Nothing changes: every operation gives the same outcome on ${target}.${risks}`
  // The sentence about the framework has the number of those that reach the application.
  const raising = report.frameworks ? 0 : (report.impacts.raises ?? 0)
  const places = report.callSites.filter(({ raises = 0 }) => raises > 0).length
  const at = places > 0 ? ` at ${count(places, 'place')} of the application` : ''
  const parts = [
    `${count(changed, 'operation')} of ${totals.operations.toLocaleString('en')} (${percent(changed, totals.operations)}) would have another outcome on ${target}`,
    raising > 0 ? `${raising.toLocaleString('en')} of them raise${at}` : '',
    totals.announced > 0
      ? `${totals.announced.toLocaleString('en')} more store another value or use another server`
      : '',
    totals.unexplained > 0
      ? `${totals.unexplained.toLocaleString('en')} could not be explained`
      : `all explained by ${count(switches.length, 'switch', 'switches')}`,
  ]
  return `${parts.filter(Boolean).join('; ')}.${risks}`
}

/** One line for a target: how many calls raise, return something else, go to another server, or store something else. */
export function targetText(report: Report): string {
  checkReport(report)
  const { totals, impacts, placement } = report
  const of = (n: number, [one, many]: readonly [string, string]): string[] =>
    n > 0 ? [`${n.toLocaleString('en')} ${n === 1 ? one : many}`] : []
  const said = [
    ...of(impacts.raises ?? 0, ['raises', 'raise']),
    ...of(impacts['stops-raising'] ?? 0, [
      'raises another exception, or none',
      'raise another exception, or none',
    ]),
    ...of(impacts.truth ?? 0, ['takes another branch', 'take another branch']),
    ...of(impacts.value ?? 0, ['returns another value', 'return another value']),
    ...of(impacts.spelling ?? 0, ['returns another type', 'return another type']),
    ...of(placement?.moved ?? 0, ['goes to another server', 'go to another server']),
    ...of(totals.announced, [
      'stores another value, or on another server',
      'store another value, or on another server',
    ]),
    ...of(totals.unexplained, ['is unexplained', 'are unexplained']),
  ]
  return `${said.length > 0 ? said.join(', ') : 'nothing changes'}, of ${count(totals.operations, 'operation')}`
}

/** python-memcached's default of `dead_retry`, in seconds. Source: docs/reference/python-memcached.md#3. */
const deadRetry = 30

/** The effect of a server that is down on an application on the target. Source: docs/reference/pymemcache.md#9.2, #11.2. */
function downText(target: string, { settings: { options } }: Report): string {
  if (target.startsWith('pylibmc')) return `${target} raises while the server is down`
  if (!target.startsWith('pymemcache')) return `${target} sends requests while the server is down`
  const waits =
    options?.timeout === undefined || options.timeout === null
      ? ', and calls to a server that does not answer wait without a limit, because timeout= is not given'
      : ''
  return `${target} does not use another server at once: Client and PooledClient raise for every call; a HashClient raises for the first call, returns defaults for retry_timeout seconds, and leaves the server out after retry_attempts (with ignore_exc=True it returns defaults in place of exceptions, and gets returns None in place of a pair)${waits}`
}

/** The report's sentences about outages. */
export function outageTexts(report: Report): readonly string[] {
  const { supposedOutages, foundOutages, trace } = report
  const [, target] = sideNames(report)
  // The other libraries try a server again at once or after a second.
  const [until, again] =
    trace.library === 'python-memcached'
      ? [
          deadRetry,
          `python-memcached tries a dead server again only after ${deadRetry} s, so the trace does not show the end of the outage. `,
        ]
      : [1, '']
  const texts = foundOutages.map(({ server, from, to, failed, confidence }) => {
    // The outage had begun when the first call failed: the time is rounded down.
    const begin = Math.floor(from * 1000) / 1000
    return `Server ${server} seems to have been down from ${begin} s of the trace, and still at ${to.toFixed(1)} s (${count(failed, 'call')} failed; confidence ${confidence}). ${again}${downText(target, report)}: count the calls with --outage 'server ${server}: ${begin}s-${(to + until).toFixed(1)}s', or with the times that you know.`
  })
  if (supposedOutages) {
    const { outages, raises, callSites } = supposedOutages
    const when = outages
      .map(({ server, from, to }) => `server ${server} is down from ${from} s to ${to} s`)
      .join(', ')
    const where = callSites.slice(0, 5).map(({ at, count: n }) => `${at} (${n})`)
    texts.push(
      `If ${when}: ${count(raises, 'call')} at ${count(callSites.length, 'place')} raise on ${target}${where.length > 0 ? `: ${where.join(', ')}` : ''}.`,
    )
  }
  return texts
}

/** The behaviour of both sides, one line each; none if the table of rules does not have it. */
export function sideTexts(
  { pythonMemcached, pylibmc }: Pick<SwitchRow, 'pythonMemcached' | 'pylibmc'>,
  [before, after]: readonly [string, string],
): readonly string[] {
  return pythonMemcached === '' || pylibmc === ''
    ? []
    : [`${before}: ${pythonMemcached}`, `${after}: ${pylibmc}`]
}

/** Seconds of the trace, in the unit that fits. */
export function timeText(seconds: number): string {
  if (seconds < 120) return `${Number(seconds.toFixed(1))} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}

/** `12 operations (3.1 %), 0.5 s to 9 min` */
export function useText({ count: times, share, first, last }: AnalysisRow): string {
  return `${count(times, 'operation')} (${percent(share, 1)}), ${timeText(first)} to ${timeText(last)}`
}

/** `a.py:3 (12), b.py:4 (1)` */
export function placesText({ callSites }: AnalysisRow, shown = 3): string {
  return callSites
    .slice(0, shown)
    .map(({ at, count: n }) => `${at} (${n})`)
    .join(', ')
}

/** `9 accesses (3.1 %), server 0 → 2` */
export function hotKeyText({ count: times, share, before, after }: HotKey): string {
  return `${count(times, 'access', 'accesses')} (${percent(share, 1)}), server ${before ?? '–'} → ${after ?? '–'}`
}

/** `37 outcomes (12 raise), 5 hidden` */
export function impactSummary(row: Pick<SwitchRow, 'impacts'>): string {
  return (Object.keys(impactWords) as Impact[])
    .filter((impact) => row.impacts[impact])
    .map((impact) => `${row.impacts[impact]?.toLocaleString('en')} ${impactWords[impact].short}`)
    .join(', ')
}

/** The client of memshim that emulates each library. */
const replayedBy: Readonly<Record<LibraryName, string>> = {
  'python-memcached': 'compat',
  pylibmc: 'strict',
  pymemcache: 'pymemcache',
}

export function fidelityText(report: Report): string {
  const { fidelity, trace } = report
  if (fidelity.compared === 0)
    return 'The trace has no recorded outcomes with which the emulation could be compared.'
  const side = `The ${replayedBy[trace.library]} client`
  return `${side} repeated ${percent(fidelity.same, fidelity.compared)} of the ${fidelity.compared.toLocaleString('en')} outcomes that ${trace.library} ${trace.version} had recorded${fidelity.differs > 0 ? `; ${count(fidelity.differs, 'outcome')} differ` : ''}.`
}

/** The frameworks of the trace, and the number of differences that they absorb. */
export function frameworkText({ frameworks: view }: Report): string | undefined {
  if (!view) return undefined
  const names = view.frameworks.map(({ name, traced, before, after }) => {
    const own = traced ?? before
    const recorded = [before, after].filter((version) => version !== own)
    const nearest =
      recorded.length > 0 ? ` (as recorded with ${[...new Set([before, after])].join(' and ')})` : ''
    return `${name} ${own}${nearest}`
  })
  const unknown =
    view.unknown > 0
      ? `, ${view.unknown.toLocaleString('en')} of them only because there is no recording of the framework`
      : ''
  const raise =
    view.raises > 0
      ? ` (${view.raises.toLocaleString('en')} ${view.raises === 1 ? 'raises' : 'raise'} at ${count(view.raisingPlaces, 'place')})`
      : ''
  const reach = `${view.reaching.toLocaleString('en')} ${view.reaching === 1 ? 'reaches' : 'reach'} the application`
  const absorbed = `${view.absorbed.toLocaleString('en')} ${view.absorbed === 1 ? 'is' : 'are'} absorbed`
  return `Behind ${names.join(' and ')}: ${count(view.differences, 'difference')} at the library; ${reach}${raise}${unknown}; ${absorbed}.`
}

/** `absorbed by the framework`, or the numbers of absorbed and reaching operations. */
export function absorbedText({ frameworks: view }: Report, name: string): string {
  const row = view && Object.hasOwn(view.switches, name) ? view.switches[name] : undefined
  if (!row || row.absorbed === 0) return ''
  return row.reaching === 0
    ? 'absorbed by the framework: the application sees no difference'
    : `${row.absorbed.toLocaleString('en')} absorbed by the framework, ${row.reaching.toLocaleString('en')} reach the application`
}
