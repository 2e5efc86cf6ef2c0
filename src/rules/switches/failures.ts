/** Failures: what the application learns of them, and where its keys go meanwhile. Source: docs/reference/python-memcached.md#6.4, #7, #10, #13, #14. */
import type { SwitchTable } from './entry.js'

export const failureSwitches = {
  errors: {
    title: 'Errors are swallowed',
    governs: [
      'failures',
      'closedIsRefusal',
      'multiStumbles',
      'refusedDelete',
      'refusalRaises',
      'counterWithoutServer',
    ],
    pythonMemcached: 'network failures and error replies become False, 0, None or a missing key',
    pylibmc: 'raises an exception with libmemcached’s return code',
    since: 'all',
    reference: ['10', '13'],
    fixture: 'faults/set-stall',
    advice:
      'Catch MemcachedError where the cache may fail, and decide there: treat it as a miss, or let it surface.',
  },
  failover: {
    title: 'A dead server’s keys cycle to the next server',
    governs: ['deadServers', 'emptyPoolRaises', 'closedIsUnmarked'],
    unforeseeable: true,
    pythonMemcached: 'marks a failed server dead for dead_retry seconds and probes up to ten others',
    pylibmc: 'keeps the key on its server and raises until it is back, unless ejecting is configured',
    since: 'all',
    reference: ['6.4', '7'],
    fixture: 'failover/one-of-two',
    advice:
      'Expect ConnectionError and ServerDown, or set ketama with remove_failed, retry_timeout and dead_timeout.',
  },
  'probe-limit': {
    title: 'Ten probes, and then there is no server',
    governs: ['probes'],
    pythonMemcached: 'gives up after ten probes, also when they never met the server that lives',
    pylibmc: 'has no other server to go to: one probe, of the key’s own server',
    safe: 'goes on to the servers that the ten probes did not meet',
    since: 'all',
    reference: ['6.4', 'trap-29'],
    fixture: 'failover/ten-probes',
    advice: 'Do not count on another server standing in: handle the failure as a miss.',
  },
  'retry-on-close': {
    title: 'A command on a closed connection is sent once more',
    governs: ['retry'],
    pythonMemcached:
      'get, gets and the store commands reconnect and repeat: 1.48 to 1.52 always, from 1.53 on only when dead_retry is 0 or less',
    pylibmc: 'raises ConnectionError; nothing is repeated',
    since: '1.48',
    reference: ['7.3', 'trap-5'],
    fixture: 'failover/dead-retry-zero',
    advice: 'Repeat idempotent calls yourself, once, when they fail with ConnectionError.',
  },
  'error-line-stall': {
    title: 'get_multi and get_stats wait past an error line',
    governs: ['stallsAtErrorLine'],
    pythonMemcached:
      'goes on reading until the timeout; get_multi then marks the server dead, get_stats raises TimeoutError',
    pylibmc: 'takes the error line for the end of the reply',
    safe: 'takes the error line for the end of the reply',
    since: 'all',
    reference: ['13.1', 'trap-42'],
    fixture: 'faults/get-multi-error-line',
    advice: 'Nothing to do: the wait was never of use.',
  },
  'debug-raises': {
    title: 'With debug, a closed connection raises AttributeError',
    governs: ['debugRaises'],
    pythonMemcached:
      'delete_multi and flush_all raise AttributeError, because the log line cannot be put together',
    pylibmc: 'has no debug lines',
    safe: 'the log line is written and the result stays what it is without debug',
    since: '1.55, on Python 3',
    reference: ['16.2', 'trap-34'],
    fixture: 'debug/flush-all-close',
    advice: 'Nothing to do: without debug the exception never came.',
  },
  'bytes-and-text': {
    title: 'Bytes and text are mixed up on Python 3',
    governs: ['mixesText'],
    pythonMemcached:
      '1.55 to 1.57: where a key would go on from a dead server, and in get_stats, TypeError; set_multi lists every key although it is stored; delete_multi names other keys, so that nothing is deleted',
    pylibmc: 'makes no such mistake',
    safe: 'does what 1.58 does',
    since: '1.55 to 1.57, on Python 3',
    reference: ['17'],
    fixture: 'multi/set-multi-servers',
    shownBy: '1.57',
    advice: 'Nothing to do: code that runs there cannot count on it.',
  },
  desynchronisation: {
    title: 'Connections get out of step',
    governs: ['getsOutOfStep', 'leavesEnd', 'spaceKeys', 'newlineKeys'],
    pythonMemcached:
      'reads one reply for a command, whatever is left over answers the next one: values of other keys are returned',
    pylibmc: 'has its own, rarer ways of getting out of step',
    safe: 'a connection on which anything unexpected arrives is closed; no late reply answers another request',
    preset: 'safe',
    since: 'all',
    reference: ['14', 'trap-1', 'trap-2', 'trap-3', 'trap-32', 'trap-33'],
    fixture: 'faults/get-wrong-key',
    advice: 'Never switch this on but to reproduce an incident.',
  },
} as const satisfies SwitchTable
