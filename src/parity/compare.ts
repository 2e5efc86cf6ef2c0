/** Compares our client with the recorded library. Returns the first difference in one line. */
import { byServer, type Recorded, type Recording } from './scenario.js'

/**
 * Classes whose messages are compared too. The messages of other built-in exceptions change between Python versions and
 * are not part of a documented interface.
 */
const OWN_MESSAGES = /^(pylibmc|memcache)\.|^builtins\.ValueError$/

/** @param real the name of the library's outcome in the line */
export function firstDifference(
  recording: Recording,
  played: readonly (Recorded | null)[],
  real = 'recorded',
): string | undefined {
  for (const [index, expected] of recording.steps.entries()) {
    const call = recording.scenario.steps[index]?.call
    if (!expected || call === undefined) continue
    const actual = played[index]
    const wanted = shown(expected)
    const got = actual ? shown(actual, expected) : 'nothing'
    if (wanted !== got) return `step ${index}, ${call}: ${real} ${cut(wanted)}, here ${cut(got)}`
  }
  return undefined
}

/**
 * The same for a scenario that was played on a real server of some version: `recorded` are the possible outcomes with this server. The
 * numbers of CAS uniques, and the set of statistics, are not compared.
 */
export function liveDifference(
  recorded: readonly Recording[],
  played: readonly (Recorded | null)[],
): string | undefined {
  const [first] = recorded
  const always = statisticsOfAll(first!)
  const differences = recorded.map((one) =>
    firstDifference({ ...one, steps: comparable(one, one.steps, always) }, comparable(one, played, always)),
  )
  return differences.includes(undefined) ? undefined : differences[0]
}

/** CAS uniques as the numbers of their first appearance, and only those statistics that every version has. */
function comparable(
  { scenario }: Recording,
  steps: readonly (Recorded | null)[],
  always: ReadonlySet<string>,
): (Recorded | null)[] {
  const uniques: unknown[] = []
  return steps.map((step, index) => {
    if (!step || !('result' in step)) return step
    const { result } = step
    if (scenario.steps[index]?.call === 'gets' && isTuple(result)) {
      const [value, unique] = result.$tuple
      if (!uniques.includes(unique)) uniques.push(unique)
      return { result: { $tuple: [value, unique === null ? null : uniques.indexOf(unique) + 1] } }
    }
    if (!isStatistics(result) || always.size === 0) return step
    const rows = result.$stats.map(([server, names]) => [server, names.filter((name) => always.has(name))])
    return { result: { $stats: rows } }
  })
}

function isTuple(value: unknown): value is { readonly $tuple: readonly [unknown, unknown] } {
  return typeof value === 'object' && value !== null && '$tuple' in value
}

function isStatistics(value: unknown): value is { readonly $stats: readonly [string, string[]][] } {
  return typeof value === 'object' && value !== null && '$stats' in value
}

/** Names of statistics that every version of memcached sent. */
function statisticsOfAll(recording: Recording): ReadonlySet<string> {
  const lists = byServer(recording).map(({ steps }) =>
    steps.flatMap((step) =>
      step && 'result' in step && isStatistics(step.result)
        ? step.result.$stats.flatMap(([, names]) => names)
        : [],
    ),
  )
  const [first = [], ...others] = lists
  return new Set(first.filter((name) => others.every((names) => names.includes(name))))
}

function shown(recorded: Recorded, like: Recorded = recorded): string {
  if ('result' in recorded) return canonical(recorded.result)
  const { class: name, retcode, message } = recorded.raises
  const compared = 'raises' in like && OWN_MESSAGES.test(like.raises.class)
  return `raises ${name} ${retcode ?? ''}${compared ? ` ${JSON.stringify(masked(message ?? ''))}` : ''}`
}

/** Ports vary from run to run. */
function masked(message: string): string {
  return message.replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:…')
}

/** Dictionaries with the same entries are equal in every order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    if ('$dict' in part && Array.isArray(part.$dict))
      return { $dict: part.$dict.map((pair) => JSON.stringify(pair)).sort() }
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
  })
}

function cut(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
