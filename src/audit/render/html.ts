/**
 * The report as one HTML file: nothing from the network, every value escaped, and one optional constant script (html-script.ts). Order of the page: the verdict,
 * the most serious changes, their places, unexplained differences, and the evidence.
 */
import { type Impact, impacts } from '../compare/outcome.js'
import { checkReport, type Finding, type Report, type SwitchRow, type Tally } from '../report/report.js'
import { courseChart, loadChart, outageChart, stackedBar } from './html-charts.js'
import { script, scriptHash } from './html-script.js'
import { style } from './html-style.js'
import { snippets } from './snippets.js'
import {
  absorbedText,
  count,
  emulatedText,
  fidelityText,
  frameworkText,
  impactSummary,
  impactWords,
  outageTexts,
  outcomeText,
  percent,
  placesText,
  sideNames,
  timeText,
  verdictText,
} from './words.js'

/** The report as one HTML page without external files. */
export function renderHtml(report: Report): string {
  checkReport(report)
  const { trace } = report
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src '${scriptHash}'">
<title>memshim audit: ${escapeHtml(trace.name)}</title><style>${style}</style></head><body><main>
${head(report)}
${switches(report)}
${placement(report)}
${outages(report)}
${risks(report)}
${unexplained(report)}
${callSites(report)}
${analyses(report)}
${methods(report)}
${trust(report)}
${footer(report)}
</main><script>${script}</script></body></html>
`
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}

function head(report: Report): string {
  const { trace, totals, settings } = report
  const facts = [
    trace.source ?? trace.name,
    `${trace.library} ${trace.version}`,
    count(trace.servers, 'server'),
    count(trace.clients, 'client'),
    trace.faults > 0 ? count(trace.faults, 'fault') : '',
    `emulated as ${emulatedText(report)}`,
    `replayed on ${settings.servers}`,
  ]
  const kinds: readonly [keyof Tally & string, string, string][] = [
    ['same', 'the same', 'no change needed'],
    ['announced', 'hidden', 'same outcome, but another stored value or server'],
    ['differs', 'differ', 'another outcome, explained by a named switch'],
    ['unexplained', 'unexplained', 'another outcome without an explanation'],
  ]
  const legend = kinds.map(
    ([kind, word, text]) =>
      `<li><span class="dot s-${kind}"></span><b>${totals[kind].toLocaleString('en')}</b>${word} <span class="quiet">${percent(totals[kind], totals.operations)}</span><small>${text}</small></li>`,
  )
  const course = courseChart(report.course)
  const behind = frameworkText(report)
  return `<h1>memshim audit &middot; ${escapeHtml(trace.name)}</h1>
<p class="verdict">${escapeHtml(verdictText(report))}</p>
${behind === undefined ? '' : `<p class="facts">${escapeHtml(behind)}</p>`}
<p class="facts">${facts.filter(Boolean).map(escapeHtml).join(' &middot; ')}</p>
<section class="overview">${stackedBar(totals, 26)}<ul class="legend">${legend.join('')}</ul>
${course === '' ? '' : `<details open><summary>Along the trace: share of operations with a difference</summary>${course}</details>`}</section>`
}

function analyses({ analyses = [], hotKeys = [] }: Report): string {
  if (analyses.length === 0 && hotKeys.length === 0) return ''
  const sections = analyses.map(({ name, title, severity, rows, advice, docs }) => {
    const lines = rows.map((row) => {
      const { label, severity: own, count: times, share, first, last } = row
      return `<tr><td>${escapeHtml(label)}</td><td class="quiet">${own}</td><td class="n" data-sort="${times}">${times.toLocaleString('en')}</td><td class="n">${(100 * share).toFixed(1)} %</td><td class="n quiet">${timeText(first)} to ${timeText(last)}</td><td class="quiet">${breakable(placesText(row))}</td></tr>`
    })
    return `<details id="analysis-${name}"${severity === 'problem' ? ' open' : ''}><summary><b>${escapeHtml(title)}</b> <span class="quiet">${severity}</span></summary>
<div class="scroll"><table class="uses sortable"><thead><tr>${sortable('Use', 'Severity', 'Operations')}<th class="n">Share</th><th class="n">From, to</th><th>Places</th></tr></thead><tbody>${lines.join('')}</tbody></table></div>
<p class="lead">${escapeHtml(advice)} <span class="quiet">docs/${escapeHtml(docs)}</span></p></details>`
  })
  const keys = hotKeys.map(
    ({ key, count: times, share, before, after }) =>
      `<tr><td><code>${escapeHtml(key)}</code></td><td class="n">${times.toLocaleString('en')}</td><td class="n">${(100 * share).toFixed(1)} %</td><td class="n quiet">${before ?? '–'} → ${after ?? '–'}</td></tr>`,
  )
  const hot =
    keys.length === 0
      ? ''
      : `<details><summary><b>Hot keys</b></summary><div class="scroll"><table><thead><tr><th>Key</th><th class="n">Accesses</th><th class="n">Share</th><th class="n">Server</th></tr></thead><tbody>${keys.join('')}</tbody></table></div></details>`
  return `<h2>How the application uses its cache</h2>${sections.join('')}${hot}`
}

function switches(report: Report): string {
  if (report.switches.length === 0) return ''
  const [before, after] = sideNames(report)
  return `<h2>What to change, most serious first</h2>
<p class="lead">Each entry is one behaviour of ${before} that ${after} does not have. Work from the top: what raises comes before what
returns another value, and that before results of another type. In memshim every entry is a switch of the same name, so each can be
moved on its own.</p>
${glance(report.switches)}
${report.switches.map((row, i) => switchCard(row, i, absorbedText(report, row.switch), sideNames(report))).join('\n')}`
}

/** A table of all switches, with their share. */
function glance(rows: readonly SwitchRow[]): string {
  const largest = Math.max(...rows.map((row) => row.count))
  const lines = rows.map((row, i) => {
    const worst = worstImpact(row)
    const share = `<svg viewBox="0 0 1000 10" height="10" preserveAspectRatio="none" aria-hidden="true"><rect class="f-${worst}" width="${Math.max(6, (row.count / largest) * 1000).toFixed(0)}" height="10"/></svg>`
    return `<tr data-switches="${escapeHtml(row.switch)}"><td class="n quiet">${i + 1}</td><td class="name"><a href="#switch-${escapeHtml(row.switch)}"><code>${escapeHtml(row.switch)}</code></a></td><td>${escapeHtml(row.title)}</td><td class="quiet">${escapeHtml(impactSummary(row))}</td><td class="n" data-sort="${row.count}"><b>${row.count.toLocaleString('en')}</b></td><td class="bar">${share}</td></tr>`
  })
  const options = rows.map(({ switch: name }) => `<option>${escapeHtml(name)}</option>`)
  return `<p id="filter" hidden><label>Show only <select><option value="">every switch</option>${options.join('')}</select></label> <output aria-live="polite"></output></p>
<div class="scroll"><table class="glance sortable"><thead><tr>${sortable('#', 'Switch', 'Behaviour', 'Effect', 'Operations')}<th></th></tr></thead><tbody>${lines.join('')}</tbody></table></div>`
}

/** Headings of columns that the script sorts by; the last ones are columns of numbers. */
function sortable(...titles: readonly string[]): string {
  return titles
    .map(
      (title) => `<th${numeric.has(title) ? ' class="n"' : ''}><button type="button">${title}</button></th>`,
    )
    .join('')
}

const numeric: ReadonlySet<string> = new Set(['#', 'Operations', 'Differ', 'Hidden'])

function worstImpact(row: SwitchRow): Impact {
  return impacts.find((impact) => (row.impacts[impact] ?? 0) > 0) ?? 'state'
}

function switchCard(row: SwitchRow, i: number, absorbed: string, names: Sides): string {
  const worst = worstImpact(row)
  const chips = impacts
    .filter((impact) => row.impacts[impact])
    .map(
      (impact) =>
        `<span class="chip c-${impact}" title="${escapeHtml(impactWords[impact].long)}"><b>${row.impacts[impact]?.toLocaleString('en')}</b> ${impactWords[impact].short}</span>`,
    )
  if (row.inherited > 0) {
    chips.push(
      `<span class="chip" title="differ because of an earlier operation on the same key or server"><b>${row.inherited.toLocaleString('en')}</b> as a consequence</span>`,
    )
  }
  if (absorbed !== '') chips.push(`<span class="chip">${escapeHtml(absorbed)}</span>`)
  const sides =
    row.pythonMemcached === '' || row.pylibmc === ''
      ? ''
      : `<div class="sides"><div><span>${escapeHtml(names[0])}</span><br>${escapeHtml(row.pythonMemcached)}</div><div><span>${escapeHtml(names[1])}</span><br>${escapeHtml(row.pylibmc)}</div></div>`
  const sites =
    row.callSites.length === 0
      ? ''
      : `<details><summary>Call sites</summary><table>${row.callSites.map((site) => `<tr><td class="mono">${breakable(site.at)}</td><td class="n">${site.count}</td></tr>`).join('')}</table></details>`
  return `<article class="switch i-${worst}" data-switches="${escapeHtml(row.switch)}" id="switch-${escapeHtml(row.switch)}">
<header><span class="rank">${i + 1}</span><h3><code>${escapeHtml(row.switch)}</code> ${escapeHtml(row.title)}</h3><span class="grow"></span><span><span class="number">${row.count.toLocaleString('en')}</span> <span class="quiet">${row.count === 1 ? 'operation' : 'operations'}</span></span></header>
<div class="chips">${chips.join('')}</div>
${sides}${row.advice === '' ? '' : `<p class="advice"><b>Advice.</b> ${escapeHtml(row.advice)}</p>${names[1].startsWith('pylibmc') ? snippetsOf(row.switch) : ''}`}
${examplesOf(row, names)}${sites}</article>`
}

function snippetsOf(name: string): string {
  return (snippets[name] ?? [])
    .map(
      ({ title, code }) =>
        `<details class="snippet"><summary>${title}</summary><pre>${escapeHtml(code)}</pre></details>`,
    )
    .join('')
}

/** The names of the two sides. */
type Sides = readonly [before: string, after: string]

function examplesOf({ examples, count: total }: SwitchRow, names: Sides): string {
  const card = (example: Finding) => exampleCard(example, names)
  const [first, ...others] = examples
  if (!first) return ''
  const more =
    others.length === 0
      ? ''
      : `<details><summary>${others.length} more ${others.length === 1 ? 'example' : 'examples'} of ${total.toLocaleString('en')}</summary>${others.map(card).join('')}</details>`
  return `${card(first)}${more}`
}

function exampleCard(example: Finding, [before, after]: Sides): string {
  const inherited = example.explanations.filter((explanation) => explanation.how === 'inherited')
  const chain = inherited.map(
    (explanation) =>
      `because of line ${explanation.lines.join(' → ')} (<a href="#switch-${escapeHtml(explanation.switch)}"><code>${escapeHtml(explanation.switch)}</code></a>)`,
  )
  return `<div class="example"><div class="where">line ${example.line} &middot; ${example.t.toFixed(3)} s &middot; ${escapeHtml(example.client)}${example.at === undefined ? '' : ` &middot; ${escapeHtml(example.at)}`}</div>
<div class="call"><code>${escapeHtml(example.call)}</code></div><dl class="outcomes"><dt>${before}</dt><dd>${outcomeHtml(example.compat)}</dd><dt>${after}</dt><dd>${outcomeHtml(example.strict)}</dd></dl>
${example.impact === 'state' && example.explanations.length > 0 ? `<div class="where">${impactWords.state.long}</div>` : ''}${chain.length > 0 ? `<div class="where">${chain.join('; ')}</div>` : ''}</div>`
}

function outcomeHtml(outcome: Finding['compat']): string {
  return `<span class="mono${'raises' in outcome ? ' raise' : ''}">${escapeHtml(outcomeText(outcome))}</span>`
}

/** The placement of keys under both libraries, if there is more than one server. */
function placement(report: Report): string {
  const { placement: counts } = report
  if (!counts) return ''
  const [before, after] = sideNames(report)
  return `<h2>Where keys are</h2><p>${escapeHtml(percent(counts.moved, counts.accesses))} of ${counts.accesses.toLocaleString('en')} calls with one key go to
another server on ${escapeHtml(after)}: <code>memshim plan</code> says what moving the keys costs.</p>
${loadChart(counts, [before, after])}`
}

function outages(report: Report): string {
  const texts = outageTexts(report)
  if (texts.length === 0) return ''
  return `<h2>Servers that are down</h2>${outageChart(report)}${texts.map((text) => `<p>${escapeHtml(text)}</p>`).join('')}`
}

/** Outcomes that are equal or unknown, and must not be relied on. */
function risks(report: Report): string {
  if (report.risks.length === 0) return ''
  const cards = report.risks.map((risk) => {
    const examples = risk.examples
      .slice(0, 3)
      .map((example) => exampleCard(example, sideNames(report)))
      .join('')
    return `<article class="switch" id="risk-${risk.name}">
<header><h3><code>${risk.name}</code></h3><span class="grow"></span><span><span class="number">${risk.count.toLocaleString('en')}</span> <span class="quiet">${risk.count === 1 ? 'operation' : 'operations'}</span></span></header>
<p>${escapeHtml(risk.title)}.</p>
<p class="advice"><b>Advice.</b> ${escapeHtml(risk.advice)}</p>
${examples}</article>`
  })
  return `<h2>Do not rely on it</h2>${cards.join('')}`
}

function unexplained(report: Report): string {
  const total = report.totals.unexplained
  if (total === 0) return ''
  const shown = report.unexplained.slice(0, 100)
  return `<h2 class="bad">Unexplained</h2><p class="lead">No switch accounts for these differences. Read them one by one before relying on the rest; please report
them to memshim.</p>${shown.map((example) => exampleCard(example, sideNames(report))).join('')}${total > shown.length ? `<p class="quiet">… and ${(total - shown.length).toLocaleString('en')} more (see the JSON report)</p>` : ''}`
}

function callSites(report: Report): string {
  if (report.callSites.length === 0) return ''
  const largest = Math.max(...report.callSites.map((site) => site.operations))
  const shown = report.callSites.slice(0, 60)
  const rows = shown.map(
    (site) =>
      `<tr data-switches="${switchNames(site.switches)}"><td class="mono">${breakable(site.at)}</td><td>${names(site.switches)}</td><td class="n">${site.differs + site.unexplained}</td><td class="n">${site.operations}</td><td class="bar">${stackedBar(site, 10, largest)}</td></tr>`,
  )
  const more = report.callSites.length - shown.length
  return `<h2>Where in the application</h2><div class="scroll"><table class="sortable"><thead><tr>${sortable('Call site', 'Switches', 'Differ', 'Operations')}<th></th></tr></thead><tbody>${rows.join('')}</tbody></table></div>${more > 0 ? `<p class="quiet">… and ${more} more (see the JSON report)</p>` : ''}`
}

function methods(report: Report): string {
  const rows = report.methods.map(
    (method) =>
      `<tr data-switches="${switchNames(method.switches)}"><td class="name"><code>${escapeHtml(method.method)}</code></td><td>${names(method.switches)}</td><td class="n">${method.announced}</td><td class="n">${method.differs + method.unexplained}</td><td class="n">${method.operations}</td><td class="bar">${stackedBar(method, 10)}</td></tr>`,
  )
  return `<h2>By method</h2><div class="scroll"><table class="methods sortable"><thead><tr>${sortable('Method', 'Switches', 'Hidden', 'Differ', 'Operations')}<th></th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

function switchNames(switches: Readonly<Record<string, number>>): string {
  return escapeHtml(Object.keys(switches).join(' '))
}

/** A long place may be broken after dots, slashes and underscores, but not inside a word. */
function breakable(at: string): string {
  return escapeHtml(at).replace(/[./_]/g, (sign) => `${sign}<wbr>`)
}

function names(switches: Readonly<Record<string, number>>): string {
  return Object.entries(switches)
    .sort(([, a], [, b]) => b - a)
    .map(
      ([name, n]) =>
        `<span class="pair"><a href="#switch-${escapeHtml(name)}">${escapeHtml(name)}</a> <span class="quiet">${n}</span></span>`,
    )
    .join(', ')
}

function trust(report: Report): string {
  const { fidelity, verification, notes } = report
  const tone = fidelity.differs === 0 && fidelity.compared > 0 ? 'good' : ''
  const differing = fidelity.findings
    .slice(0, 50)
    .map(
      (finding) =>
        `<div class="example"><div class="where">line ${finding.line}${finding.at === undefined ? '' : ` &middot; ${escapeHtml(finding.at)}`}</div><div class="call"><code>${escapeHtml(finding.call)}</code></div><dl class="outcomes"><dt>recorded</dt><dd>${outcomeHtml(finding.recorded)}</dd><dt>replayed</dt><dd>${outcomeHtml(finding.replayed)}</dd></dl></div>`,
    )
  return `<h2>How far to trust this</h2><p class="${tone}">${escapeHtml(fidelityText(report))}</p>
${differing.length > 0 ? `<details><summary>Recorded and replayed outcomes that differ (${fidelity.differs})</summary>${differing.join('')}</details>` : ''}
${verification ? verificationHtml(verification, sideNames(report)[1]) : '<p class="quiet">Not verified by counterfactual replay (--verify): explanations are the divergences of the emulation and their consequences.</p>'}
${notes.length > 0 ? `<details><summary>Notes on the replay (${notes.length})</summary><table>${notes.map((note) => `<tr><td class="n">${note.count}×</td><td>${escapeHtml(note.text)}</td><td class="n quiet">line ${note.line}</td></tr>`).join('')}</table></details>` : ''}`
}

function verificationHtml(verification: NonNullable<Report['verification']>, target: string): string {
  const { confirmed, operations, untried, sets } = verification
  const rows = sets.map(
    (set) =>
      `<tr><td>${set.switches.map((name) => `<code>${escapeHtml(name)}</code>`).join(' + ')}</td><td class="n">${set.operations}</td><td class="n ${set.confirmed === set.operations ? 'good' : 'bad'}">${set.confirmed}</td></tr>`,
  )
  return `<p>Counterfactual replay: with exactly the named switches off, <b>${confirmed}</b> of ${operations} differing operations give ${target}’s outcome (${percent(confirmed, operations)})${untried > 0 ? `; ${untried} not tried` : ''}.</p>
<details><summary>By set of switches</summary><table><tr><th>Switches off</th><th class="n">Operations</th><th class="n">Confirmed</th></tr>${rows.join('')}</table></details>`
}

function footer(report: Report): string {
  const { timing, trace, totals } = report
  return `<footer>memshim ${escapeHtml(report.memshim)} &middot; ${escapeHtml(timing.started)} &middot; ${count(totals.operations, 'operation')} (${trace.seconds.toFixed(1)} s of application time) replayed in ${timing.seconds.toFixed(1)} s${trace.recorded === undefined ? '' : ` &middot; recorded ${escapeHtml(trace.recorded)}`}</footer>`
}
