// The judged rows as Markdown: one table a figure, rows down, parties across.

const MEGABYTE = 1024 * 1024

function figure(value) {
  if (value === undefined || Number.isNaN(value)) return '–'
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

const inUnit = {
  'k/s': (speed) => figure(speed / 1000),
  '/s': (speed) => figure(speed),
  ms: (speed) => figure(1000 / speed),
}

function table(head, lines) {
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
    'CPU, strict ÷ leanest maintained',
    'compat ÷ strict',
  ]
  const lines = judged
    .filter(({ ratio }) => ratio !== undefined)
    .map(({ workload, best, leanest, ours, ratio, summaries }) => {
      const compat = summaries.find(({ party }) => party === 'memshim compat')?.speed
      return [
        workload.name,
        best.party,
        figure(ratio),
        `≥ ${workload.target}`,
        ratio >= workload.target ? 'met' : `missed (${figure(ratio / workload.target)} of it)`,
        leanest ? figure(ours.cpu / leanest.cpu) : '',
        compat ? figure(compat / ours.speed) : '',
      ]
    })
  return lines.length > 0 ? table(head, lines) : ''
}

function failures(judged) {
  const lines = judged.flatMap(({ workload, summaries }) =>
    summaries
      .filter(({ error }) => error)
      .map(({ party, error }) => `- ${party}, ${workload.name}: ${error.replaceAll('`', "'").slice(0, 160)}`),
  )
  return lines.length > 0 ? `### Failures\n\n${lines.join('\n')}\n` : ''
}

/** @param judged rows of statistics.mjs; @param facts one line about the machine and the run */
export function markdown(judged, facts) {
  const network = judged.filter(({ workload }) => !workload.offline)
  const steady = network.filter(({ workload }) => workload.kind !== 'cold')
  const sections = [
    facts,
    ['### Against the targets', targets(judged)],
    [
      '### Speed\n\nThousand operations a second unless the row says otherwise; median of the rounds, ± half the distance of the fastest and slowest round; the best rival of a row is bold.',
      judged.length > 0 && grid(judged, speeds),
    ],
    [
      '### CPU of the client, µs an operation',
      network.length > 0 && grid(network, ({ cpu }) => figure(cpu)),
    ],
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
  const against = ratio === undefined ? '' : ` · strict ÷ best rival ${figure(ratio)} (target ${workload.target})`
  return `${workload.name} [${workload.unit}]${against}\n    ${cells.join(' · ')}`
}
