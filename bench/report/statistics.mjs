// Medians and spread of the rounds, ratios against the best rival, and whether a row's target is met.

export function median(values) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b)
  if (sorted.length === 0) return undefined
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

// Student's t at 97.5 % by degrees of freedom (1 to 30).
const T = [
  12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1,
  2.09, 2.09, 2.08, 2.07, 2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.05, 2.04,
]

/** Holds the true mean with 95 %. Two values or more. */
export function meanInterval(values) {
  const middle = mean(values)
  const variance = values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1)
  const half = (T[values.length - 2] ?? T.at(-1)) * Math.sqrt(variance / values.length)
  return [middle - half, middle + half]
}

/** Orders of an even number of things, in which each has every place and every predecessor once (a Williams square). */
export function balancedOrders(count) {
  const first = Array.from({ length: count }, (_, i) => (i % 2 === 0 ? i / 2 : count - (i + 1) / 2))
  return first.map((shift) => first.map((thing) => (thing + shift) % count))
}

/** Half the distance between the slowest and the fastest round, as a share of the median. */
function spread(values) {
  return (Math.max(...values) - Math.min(...values)) / 2 / median(values)
}

const fields = ['cpu', 'serverCpu', 'p50', 'p99', 'rss', 'busy', 'foreign']

/** One party's rounds as one set of figures. `speed` is better when higher: operations per second, or builds per second. */
function summarize({ party, runs, error }) {
  const summary = { party: party.name, kind: party.kind, maintained: party.maintained, error }
  if (error || runs.length === 0) return summary
  const speeds = runs.map(speedOf)
  summary.speed = median(speeds)
  summary.spread = spread(speeds)
  summary.rounds = runs.length
  for (const field of fields) {
    const values = runs.map((run) => run[field]).filter((value) => typeof value === 'number')
    if (values.length > 0) summary[field] = median(values)
  }
  if (runs[0].placed) summary.placed = runs[0].placed
  return summary
}

/** Higher is better: a second over the milliseconds where a run gives those. */
export const speedOf = (run) => run.perSecond ?? 1000 / run.ms

/** A row: summaries, the best rival, and `party name → speed as a ratio to it`. */
export function judge({ workload, cells }) {
  const summaries = cells.map(summarize)
  const measured = summaries.filter(({ speed }) => speed !== undefined)
  const rivals = measured.filter(({ kind }) => kind === 'rival')
  const best = rivals.reduce((top, rival) => (top && top.speed >= rival.speed ? top : rival), undefined)
  const kept = rivals.filter(({ maintained, cpu }) => maintained && cpu !== undefined)
  const ours = measured.find(({ party }) => party === 'memshim strict')
  const placements = new Set(measured.flatMap(({ placed }) => placed ?? []))
  return {
    workload,
    summaries,
    best,
    // Lowest CPU per operation among the maintained rivals: the other side of the CPU target (below half of it).
    leanest: kept.reduce((low, rival) => (low && low.cpu <= rival.cpu ? low : rival), undefined),
    ours,
    // Where keys are placed, everyone must place them alike.
    unequal: placements.size > 1,
    ratio: ours && best ? ours.speed / best.speed : undefined,
  }
}
