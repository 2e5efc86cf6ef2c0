/** Methods and arguments that came with a version. Sources: docs/reference/python-memcached.md#17, docs/reference/pylibmc.md#5. */
import { always, type Row, type Rows } from '../row.js'

/** There since a version of python-memcached, and in pylibmc or not. The facade has it wherever python-memcached's surface is off. */
function since<const Version extends string>(version: Version, pylibmc: boolean) {
  return {
    'python-memcached': { '1.44': false, [version]: true } as Readonly<Record<'1.44' | Version, boolean>>,
    pylibmc: always(pylibmc),
    off: true,
  } satisfies Row
}

export const surfaceRows = {
  /** The Python that a preset stands for. 1.55 to 1.59 also run on Python 2, and have no preset for it. */
  python: { 'python-memcached': { '1.44': 2, '1.55': 3 }, pylibmc: always(3) },
  hasCheckKey: since('1.45', false),
  hasStatsArgument: since('1.45', true),
  hasGets: since('1.45', true),
  hasCas: since('1.45', true),
  hasResetCas: since('1.48', false),
  hasTouch: since('1.54', true),
  hasNoreply: since('1.55', false),
  hasCompressor: since('1.55', false),
  hasGetSlabStats: since('1.58', false),
  hasQuitAll: since('1.60', false),
  hasKeyEncoder: since('1.60', false),
} as const satisfies Rows
