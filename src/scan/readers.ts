/**
 * The libraries that cannot read a value, and why. Source: docs/reference/python-memcached.md#9.4 and #18, docs/reference/pylibmc.md#4.3;
 * protocols of pickle by version of Python: PEP 3154, PEP 574. The libraries' own rules are those of memshim/values, which are
 * compared with recordings of the real libraries.
 */
import {
  FLAG_INTEGER,
  FLAG_LONG,
  FLAG_PICKLE,
  FLAG_TEXT,
  FLAG_ZLIB,
  pylibmcEncoding,
  pymemcacheEncoding,
  pythonMemcachedEncoding,
} from '../values/index.js'
import type { ValueFacts } from './value-facts.js'

export interface Reader {
  readonly name: string
  /** The reason why it cannot read the value; undefined when it can. */
  problem(flags: number, data: Buffer, facts: ValueFacts): string | undefined
}

function python(name: string, most: number, bytesOf2: boolean): Reader {
  return {
    name,
    problem(flags, _data, facts) {
      if (!(flags & FLAG_PICKLE) || facts.broken !== undefined) return undefined
      const protocol = facts.pickleProtocol ?? 0
      if (protocol > most) return `pickle protocol ${protocol}: this Python reads up to ${most}`
      if (!bytesOf2 && facts.python2Strings === 'non-ASCII')
        return 'byte strings of Python 2 in a pickle that are not ASCII: pylibmc raises, python-memcached and pymemcache return None'
      return undefined
    },
  }
}

function library(name: string, encoding: { decode(flags: number, data: Buffer): unknown }): Reader {
  return {
    name,
    problem(flags, data) {
      try {
        encoding.decode(flags, data)
        return undefined
      } catch (error) {
        return error instanceof Error ? error.message.replace(/\d{3,}/g, 'n').slice(0, 120) : String(error)
      }
    },
  }
}

/** Every reader of the report, in its order. */
export const readers: readonly Reader[] = [
  library('pylibmc 1.6.3', pylibmcEncoding({ preserve: true })),
  library('python-memcached ≤ 1.58', pythonMemcachedEncoding({ version: '1.58', preserve: true })),
  library('python-memcached ≥ 1.59', pythonMemcachedEncoding({ version: '1.59', preserve: true })),
  library('pymemcache (pickle_serde)', pymemcacheEncoding({ preserve: true })),
  python('Python 2.7', 2, true),
  python('Python 3.4 to 3.7', 4, false),
  python('Python 3.8 and newer', 5, false),
  {
    name: 'Node.js without memshim',
    problem(flags) {
      if (flags & FLAG_PICKLE && !(flags & (FLAG_TEXT | FLAG_INTEGER | FLAG_LONG))) return 'a pickle'
      return flags & FLAG_ZLIB ? 'compressed with zlib under flag 8' : undefined
    },
  },
]
