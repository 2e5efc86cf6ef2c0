/**
 * Proxies and servers that speak memcached's protocol but refuse part of it. Each entry names its source: the documentation or the
 * source code of the project. A memcached of the version `base` answers every other command.
 */
import type { Bytes } from '../ground/bytes.js'
import type { Frame } from './commands/framing.js'
import type { Answer } from './commands/respond.js'

export interface LookAlike {
  /** The version of memcached that answers the other commands. */
  readonly base: string
  /** The answer to `version`; absent if `base` answers it or no answer is sent. */
  readonly says?: string
  /** The answer to a refused command. Undefined: the command is not refused. */
  readonly refuse: (frame: Frame) => Answer | undefined
}

const hangsUp: Answer = { goodbye: [] }
const says = (line: Bytes): Answer => [`${line}\r\n`]
const wordsOf = ({ line }: Frame): Bytes[] => line.toString('latin1').trim().split(/ +/)
const isBinary = ({ command }: Frame) => command.kind === 'binary'

const stores = ['set', 'add', 'replace', 'append', 'prepend', 'cas']
/** The longest get that ElastiCache Serverless accepts, in bytes. */
const longestGet = 16 * 1024

export const lookAlikes = {
  /**
   * notes/memcache.md and ChangeLog of twemproxy 0.4.1: no binary protocol, and a command that its parser does not know ends the
   * connection. 0.5.0 added `version`.
   */
  'twemproxy-0.4': {
    base: '1.6.18',
    refuse: (frame) => {
      const known = [...stores, 'get', 'gets', 'delete', 'incr', 'decr', 'touch', 'quit']
      return isBinary(frame) || !known.includes(wordsOf(frame)[0]!) ? hangsUp : undefined
    },
  },
  /**
   * Source code of mcrouter: `flush_all` needs --enable-flush-cmd (the refusal is in its request check); a request that cannot be parsed is
   * answered with an error, and the connection ends (McServerSession, parseError).
   */
  mcrouter: {
    base: '1.6.18',
    says: 'mcrouter',
    refuse: (frame) => {
      const [verb] = wordsOf(frame) as [Bytes]
      if (verb === 'flush_all') return says('SERVER_ERROR Command disabled')
      const known = [...stores, 'get', 'gets', 'gat', 'gats', 'delete', 'incr', 'decr', 'touch', 'stats']
      if (!isBinary(frame) && [...known, 'version', 'quit'].includes(verb)) return undefined
      return { goodbye: ['CLIENT_ERROR malformed request\r\n'] }
    },
  },
  /**
   * Source code of Dragonfly: memcache_parser.cc knows neither `touch` nor `verbosity`, no delay of `flush_all`, no arguments of `stats`, and
   * of the meta flags not k, s, O, N and others.
   */
  dragonfly: {
    base: '1.6.18',
    says: '1.6.0 DF',
    refuse: (frame) => {
      if (isBinary(frame)) return hangsUp
      const [verb, ...rest] = wordsOf(frame) as [Bytes]
      const flags = verb === 'ms' ? rest.slice(2) : rest.slice(1)
      const unknownFlag = /^m[gsda]$/.test(verb) && flags.some((flag) => !/^[TbFMDqfvtlhc]/.test(flag))
      const bad =
        unknownFlag ||
        verb === 'me' ||
        (verb === 'stats' && rest.length > 1) ||
        (verb === 'flush_all' && rest.length > 0 && rest.join() !== '0')
      if (bad) return says('CLIENT_ERROR bad command line format')
      return ['touch', 'verbosity', 'shutdown', 'bget'].includes(verb) ? says('ERROR') : undefined
    },
  },
  /**
   * Amazon's list of supported Memcached commands: no binary protocol, gets of at most 16 KB, no delayed `flush_all`, of the statistics only
   * `stats` and `stats reset`, no command that configures the engine. The real service requires TLS, which is not imitated.
   */
  'elasticache-serverless': {
    base: '1.6.18',
    refuse: (frame) => {
      if (isBinary(frame)) return hangsUp
      const [verb, ...rest] = wordsOf(frame) as [Bytes]
      if (/^gets?$/.test(verb) && frame.line.length > longestGet) return says('CLIENT_ERROR line too long')
      const delay = rest.filter((word) => word !== 'noreply')
      if (verb === 'flush_all' && delay.length > 0 && delay.join() !== '0')
        return says('CLIENT_ERROR flush_all with a delay is not supported')
      const hidden = ['verbosity', 'shutdown', 'me', 'watch', 'lru', 'lru_crawler', 'slabs', 'cache_memlimit']
      const statistics = verb === 'stats' && rest.length > 0 && rest.join() !== 'reset'
      return statistics || hidden.includes(verb) ? says('ERROR') : undefined
    },
  },
} as const satisfies Readonly<Record<string, LookAlike>>

/** The names that `startServer` accepts in place of a version. */
export type LookAlikeName = keyof typeof lookAlikes

export function lookAlike(name: string): LookAlike | undefined {
  return Object.hasOwn(lookAlikes, name) ? lookAlikes[name as LookAlikeName] : undefined
}
