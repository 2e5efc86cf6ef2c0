/** How values are written and read by the facts of a version, or by those of a client's rules. Source: docs/reference/python-memcached.md#9, #17. */
import type { ValueDialect } from '../values/encodings/dialect.js'
import type { Rules } from './columns.js'

/** The facts that decide the dialect. */
type ValueFacts = Pick<
  Rules,
  'encoding' | 'text' | 'booleans' | 'flagZeroIsText' | 'readsFlag16' | 'python' | 'unknownFlags'
>

export function valueDialect(facts: ValueFacts): ValueDialect {
  return {
    library: facts.encoding,
    text: facts.text,
    booleans: facts.booleans,
    untyped: facts.flagZeroIsText ? 'text' : 'bytes',
    readsText: facts.readsFlag16,
    python: facts.python,
    otherFlags: facts.unknownFlags === 'bytes' ? 'ignored' : 'unknown',
  }
}
