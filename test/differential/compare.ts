/** Do our client and the recorded library agree? Tells the first difference in one line. */
import type { Recorded, Recording } from './recordings.js'

/**
 * Classes whose messages are compared too. The wording of other built-in exceptions changes between Python versions and
 * belongs to nobody's contract.
 */
const OWN_MESSAGES = /^(pylibmc|memcache)\.|^builtins\.ValueError$/

export function firstDifference(
  recording: Recording,
  played: readonly (Recorded | null)[],
): string | undefined {
  for (const [index, expected] of recording.steps.entries()) {
    const call = recording.scenario.steps[index]?.call
    if (!expected || call === undefined) continue
    const actual = played[index]
    const wanted = shown(expected)
    const got = actual ? shown(actual, expected) : 'nothing'
    if (wanted !== got) return `step ${index}, ${call}: recorded ${cut(wanted)}, here ${cut(got)}`
  }
  return undefined
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

/** Dictionaries are equal whatever their order. */
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
