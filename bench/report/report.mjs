// The judged rows as Markdown: one table a figure, rows down, parties across.

const MEGABYTE = 1024 * 1024

export function figure(value) {
  if (value === undefined || Number.isNaN(value)) return '–'
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

export const inUnit = {
  'k/s': (speed) => figure(speed / 1000),
  '/s': (speed) => figure(speed),
  ms: (speed) => figure(1000 / speed),
}

export function table(head, lines) {
  const alignment = head.map((_, column) => (column === 0 ? '---' : '--:'))
  return [head, alignment, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

const named = ({ name, unit }) => (unit === 'k/s' ? name : `${name} (${unit})`)

function partiesOf(judged) {
  const names = new Set()
  for (const { summaries } of judged) for (const { party } of summaries) names.add(party)
  return [...names]
}

/** A cell for every party and row; empty where a party does not take part. */
function grid(judged, cell) {
  const names = partiesOf(judged)
  const lines = judged.map((row) => [
    named(row.workload),
    ...names.map((name) => {
      const summary = row.summaries.find(({ party }) => party === name)
      if (!summary) return ''
      return summary.error ? 'fails' : cell(summary, row)
    }),
  ])
  return table(['', ...names], lines)
}

const speeds = ({ speed, spread }, { workload, best }) => {
  const text = `${inUnit[workload.unit](speed)} ±${Math.round(spread * 100)} %`
  return best?.speed === speed ? `**${text}**` : text
}

/** One line a row: strict against the best rival of the row, in this run. */
function targets(judged) {
  const head = [
    'row',
    'best rival',
    'strict ÷ best rival',
    'target',
    'outcome',
    'compat ÷ strict (≥ 0.95)',
    'CPU, strict ÷ leanest maintained (< 0.5)',
    'memory, strict ÷ memjs (≤ 1)',
    'strict ÷ pylibmc, one caller',
    'strict ÷ raw socket',
  ]
  const lines = judged
    .filter(({ ratio }) => ratio !== undefined)
    .map((row) => {
      const { workload, best, leanest, ours, ratio, summaries } = row
      const of = (name) => summaries.find(({ party, speed }) => party === name && speed !== undefined)
      const over = (above, below) => (above && below ? figure(above / below) : '')
      const online = !workload.offline && workload.kind !== 'cold'
      return [
        workload.name,
        best.party,
        figure(ratio),
        ...outcome(row),
        over(of('memshim compat')?.speed, ours.speed),
        online ? over(ours.cpu, leanest?.cpu) : '',
        online ? over(ours.rss, of('memjs')?.rss) : '',
        workload.callers === 1 || workload.offline ? over(ours.speed, of('pylibmc')?.speed) : '',
        over(ours.speed, of('raw socket, get')?.speed),
      ]
    })
  return lines.length > 0 ? table(head, lines) : ''
}

/** Target and outcome: a ratio to be reached, or a time (`limit`, milliseconds) to be kept. */
function outcome({ workload: { target, limit }, ours, ratio }) {
  if (limit !== undefined) {
    const ms = 1000 / ours.speed
    return [`≤ ${limit} ms`, ms <= limit ? `met (${figure(ms)} ms)` : `missed (${figure(ms)} ms)`]
  }
  return [`≥ ${target}`, ratio >= target ? 'met' : `missed by ${figure(100 - (100 * ratio) / target)} %`]
}

function failures(judged) {
  const lines = judged.flatMap(({ workload, summaries }) =>
    summaries
      .filter(({ error }) => error)
      .map(({ party, error }) => `- ${party}, ${workload.name}: ${error.replaceAll('`', "'").slice(0, 160)}`),
  )
  for (const { workload, unequal } of judged)
    if (unequal) lines.push(`- ${workload.name}: the parties do not place every key alike`)
  return lines.length > 0 ? `### Failures\n\n${lines.join('\n')}\n` : ''
}

/** @param judged rows of statistics.mjs; @param facts one line about the machine and the run */
export function markdown(judged, facts) {
  const network = judged.filter(({ workload }) => !workload.offline)
  const steady = network.filter(({ workload }) => workload.kind !== 'cold')
  const sections = [
    facts,
    [
      '### Against the targets\n\nRatios of speed, in this run; above 1 is faster than the best rival.',
      targets(judged),
    ],
    [
      '### Speed\n\nThousand operations a second unless the row says otherwise; median of the rounds, ± half the distance of the fastest and slowest round; the best rival of a row is bold.',
      judged.length > 0 && grid(judged, speeds),
    ],
    ['### CPU of the client, µs an operation', network.length > 0 && grid(network, ({ cpu }) => figure(cpu))],
    [
      '### CPU of the server, µs an operation',
      steady.length > 0 && grid(steady, ({ serverCpu }) => figure(serverCpu)),
    ],
    [
      '### Latency, p50 / p99, ms',
      steady.length > 0 &&
        grid(steady, ({ p50, p99 }) => (p50 === undefined ? '–' : `${figure(p50)} / ${figure(p99)}`)),
    ],
    [
      '### Peak memory of the client process, MB',
      network.length > 0 && grid(network, ({ rss }) => figure(rss / MEGABYTE)),
    ],
  ]
  const text = sections
    .filter((section) => !Array.isArray(section) || section[1])
    .map((section) => (Array.isArray(section) ? section.join('\n\n') : section))
  return `${[...text, failures(judged)].filter(Boolean).join('\n\n')}\n`
}

/** One row for the terminal while the run goes on. */
export function progressLine({ workload, summaries, ratio }) {
  const cells = summaries.map(({ party, speed, cpu, error }) =>
    error
      ? `${party} fails: ${error}`
      : `${party} ${inUnit[workload.unit](speed)}${cpu === undefined ? '' : ` (${figure(cpu)} µs)`}`,
  )
  const wanted = workload.target === undefined ? '' : ` (target ${workload.target})`
  const against = ratio === undefined ? '' : ` · strict ÷ best rival ${figure(ratio)}${wanted}`
  return `${workload.name} [${workload.unit}]${against}\n    ${cells.join(' · ')}`
}
