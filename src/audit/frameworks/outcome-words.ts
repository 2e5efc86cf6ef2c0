/** Words for outcomes of a client, as far as an `if` or an `except` can distinguish them. The recorder has the same (`class_of`). */
import type { Outcome } from '../compare/outcome.js'

/** Calls whose results are values of the application: they have one common word, because frameworks pass them on. */
const valueCalls = new Set(['get', 'gets', 'incr', 'decr', 'get_multi', 'get_many', 'gets_many'])
/** The errors of an unreachable server, which depend on timing. */
const unreachable: ReadonlySet<string> = new Set([
  'pylibmc.ConnectionError',
  'pylibmc.ServerDown',
  'pylibmc.ServerDead',
  'pylibmc.WriteError',
  'pylibmc.SomeErrors',
  'pylibmc.Failure',
  'pylibmc.HostLookupError',
  'pylibmc.Error',
  'pylibmc.TimeoutError',
  'builtins.ConnectionRefusedError',
  'builtins.ConnectionResetError',
  'builtins.BrokenPipeError',
  'builtins.TimeoutError',
  'builtins.OSError',
  'socket.gaierror',
  'pymemcache.exceptions.MemcacheUnexpectedCloseError',
])

/** Whether an exception says that the server could not be reached or did not answer. */
export function isUnreachable(name: string): boolean {
  return unreachable.has(name)
}

/** Words that stand for many outcomes: if the client's values differ, the values that are passed on differ too. */
export const handedOn: ReadonlySet<string> = new Set(['value', 'list'])

/** `None`, `True`, `0`, `[]`, `list`, `value`, `raises pylibmc.NotFound`, `raises unreachable`. */
export function outcomeWord(call: string, outcome: Outcome): string {
  if ('raises' in outcome) {
    const name = outcome.raises.class
    return isUnreachable(name) ? 'raises unreachable' : `raises ${name}`
  }
  const { result } = outcome
  if (valueCalls.has(call)) return result === null ? 'None' : 'value'
  if (result === null) return 'None'
  if (typeof result === 'boolean') return result ? 'True' : 'False'
  if (Array.isArray(result)) return result.length > 0 ? 'list' : '[]'
  return typeof result === 'number' ? String(result) : 'value'
}
