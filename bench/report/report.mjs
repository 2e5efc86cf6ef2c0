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

const BUSY_POLL = 'memshim strict, busyPoll'

/** The further limits of a row, beside its target: the figure that a column shows, and whether it keeps its limit. */
const columns = [
  {
    head: 'busyPoll ÷ best rival',
    of: ({ best, by }) => [by(BUSY_POLL)?.speed, best.speed],
  },
  { head: 'CPU, busyPoll ÷ without', of: ({ ours, by }) => [by(BUSY_POLL)?.cpu, ours.cpu] },
  { head: 'compat ÷ strict', of: ({ ours, by }) => [by('memshim compat')?.speed, ours.speed], least: 0.95 },
  {
    head: 'CPU ÷ leanest',
    of: (row) => (isOnline(row) ? [row.ours.cpu, row.leanest?.cpu] : []),
    most: 0.5,
  },
  {
    head: 'memory ÷ memjs',
    of: (row) => (isOnline(row) ? [row.ours.rss, row.by('memjs')?.rss] : []),
    most: 1,
  },
  {
    head: '÷ pylibmc',
    of: ({ workload, ours, by }) =>
      workload.callers === 1 || workload.offline ? [ours.speed, by('pylibmc')?.speed] : [],
    least: 0.97,
  },
  { head: '÷ raw socket', of: ({ ours, by }) => [ours.speed, by('raw socket, get')?.speed] },
]

const isOnline = ({ workload }) => !workload.offline && workload.kind !== 'cold'

/** One line a row: strict against the best rival of the row, in this run. What misses its limit is bold. */
function targets(judged) {
  const head = ['row', 'best rival', '÷ best rival', 'target', ...columns.map(({ head }) => head)]
  const lines = judged
    .filter(({ ratio }) => ratio !== undefined)
    .map((row) => {
      const by = (name) => row.summaries.find(({ party, speed }) => party === name && speed !== undefined)
      return [
        row.workload.name,
        row.best.party,
        ...outcome(row),
        ...columns.map(({ of, least, most }) => {
          const [above, below] = of({ ...row, by })
          if (!above || !below) return ''
          const ratio = above / below
          return marked(figure(ratio), ratio < least || ratio > most)
        }),
      ]
    })
  return lines.length > 0 ? table(head, lines) : ''
}

const marked = (text, missed) => (missed ? `**${text}**` : text)

/** The ratio and its target: a ratio to be reached, or a time (`limit`, milliseconds) to be kept. */
function outcome({ workload: { target, limit }, ours, ratio }) {
  const shown = figure(ratio)
  if (limit !== undefined) {
    const ms = 1000 / ours.speed
    return [shown, `≤ ${limit} ms: ${marked(`${figure(ms)} ms`, ms > limit)}`]
  }
  const missed = ratio < target
  return [
    marked(shown, missed),
    `≥ ${target}${missed ? `: ${Math.ceil(100 - (100 * ratio) / target)} % less` : ''}`,
  ]
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
      '### Against the targets\n\nRatios of strict, in this run; bold figures miss their limit.',
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
