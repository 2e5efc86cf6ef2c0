/** Methods and arguments by version. Sources: docs/reference/python-memcached.md#17, docs/reference/pylibmc.md#5. */
import { always, type Row, type Rows } from '../row.js'
import { historyOf } from '../signatures.js'

/** python-memcached has it according to its signatures; pylibmc has it or not, and the compat client has it when the switch is off. */
function has(pylibmc: boolean, method: string, parameter?: string) {
  return {
    'python-memcached': historyOf('python-memcached', method, parameter),
    pylibmc: always(pylibmc),
    pymemcache: historyOf('pymemcache', method, parameter),
    off: true,
  } satisfies Row
}

export const surfaceRows = {
  /** The Python that a preset stands for. 1.55 to 1.59 also run on Python 2, and have no preset for it. */
  python: { 'python-memcached': { '1.44': 2, '1.55': 3 }, pylibmc: always(3) },
  hasCheckKey: has(false, 'check_key'),
  hasStatsArgument: has(true, 'get_stats', 'stat_args'),
  hasGets: has(true, 'gets'),
  hasCas: has(true, 'cas'),
  hasResetCas: has(false, 'reset_cas'),
  hasTouch: has(true, 'touch'),
  hasNoreply: has(false, 'set', 'noreply'),
  hasCompressor: has(false, '__init__', 'compressor'),
  hasGetSlabStats: has(false, 'get_slab_stats'),
  hasQuitAll: has(false, 'quit_all'),
  hasKeyEncoder: has(false, '__init__', 'key_encoder'),
} as const satisfies Rows
