/** The flags of a meta command, and the errors for invalid ones. Facts: fixtures/conversations/meta.json. */
import type { Bytes } from '../../ground/bytes.js'
import { versionAtLeast } from '../../rules/version.js'
import type { ServerFacts } from '../versions.js'
import {
  exactSigned32,
  exactUnsigned32,
  exactUnsigned64,
  signed32,
  unsigned32,
  unsigned64,
} from './numbers.js'

export interface MetaFlags {
  /** The flags in the order of the line. */
  readonly words: readonly Bytes[]
  /** T: the new time, as sent. */
  readonly time?: number | undefined
  /** N: the time of an item that is created because it is missing. */
  readonly vivify?: number | undefined
  /** R: if an item has less time left than this, a client is asked to renew it. */
  readonly recache?: number | undefined
  /** C: the command applies only if the item has this CAS unique. */
  readonly cas?: bigint | undefined
  /** E: the CAS unique that the item gets. */
  readonly newCas?: bigint | undefined
  /** F: the client flags. */
  readonly clientFlags: number
  /** M: the mode; empty if the line has none. */
  readonly mode: string
  /** D and J of `ma`: the delta and the initial value. */
  readonly delta: bigint
  readonly initial: bigint
  readonly has: (name: string) => boolean
}

const badFormat = 'CLIENT_ERROR bad command line format'
const badToken = 'CLIENT_ERROR bad token in command line format'
const longestOpaque = 32
/** The known flags, each with the first version that knows it. */
const known: Readonly<Record<string, string>> = {
  ...Object.fromEntries([...'NTRlOkstcfvhuqFCMJDI'].map((flag) => [flag, '0'])),
  b: '1.6.10', P: '1.6.14', L: '1.6.14', E: '1.6.27', x: '1.6.27',
} // biome-ignore format: one list

/** @returns the flags, or the error line */
export function readFlags(
  words: readonly Bytes[],
  facts: ServerFacts,
): { readonly flags: MetaFlags; readonly problem?: Bytes } {
  const read: { -readonly [Name in keyof MetaFlags]?: MetaFlags[Name] | undefined } = {}
  let problem: Bytes | undefined
  const exact = facts.numbers === 'exact'
  const needed = <T>(value: T | undefined, otherwise: Bytes): T | undefined => {
    if (value === undefined) problem = otherwise
    return value
  }
  const time = (text: Bytes) => needed(exact ? exactSigned32(text) : signed32(text), badToken)
  const unique = (text: Bytes, otherwise: Bytes) =>
    needed(exact ? exactUnsigned64(text) : unsigned64(text), otherwise)
  const names = new Set<string>()
  for (const word of words) {
    const name = word[0]!
    const argument = word.slice(1)
    if (names.has(name) || name >= '\x7f') return failed('CLIENT_ERROR duplicate flag')
    names.add(name)
    if (known[name] === undefined || !versionAtLeast(facts.version, known[name]))
      return failed('CLIENT_ERROR invalid flag')
    switch (name) {
      case 'T':
        read.time = time(argument)
        break
      case 'N':
        read.vivify = time(argument)
        break
      case 'R':
        read.recache = time(argument)
        break
      case 'C':
        read.cas = unique(argument, badToken)
        break
      case 'E':
        read.newCas = unique(argument, badToken)
        break
      case 'J':
        read.initial = unique(argument, 'CLIENT_ERROR invalid numeric initial value')
        break
      case 'D':
        read.delta = unique(argument, 'CLIENT_ERROR invalid numeric delta value')
        break
      case 'F':
        read.clientFlags = needed(
          exact ? exactUnsigned32(argument) : unsigned32(argument),
          problem ?? badFormat,
        )
        break
      case 'M':
        if (facts.parser === 'words' && argument.length !== 1)
          problem = 'CLIENT_ERROR incorrect length for M token'
        read.mode = argument[0] ?? '\0'
    }
  }
  const flags = {
    clientFlags: 0,
    mode: '',
    delta: 1n,
    initial: 0n,
    ...Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined)),
    words,
    has: (name: string) => names.has(name),
  }
  return problem === undefined ? { flags } : { flags, problem }
}

function failed(problem: Bytes) {
  const has = () => false
  return { flags: { words: [], clientFlags: 0, mode: '', delta: 1n, initial: 0n, has }, problem }
}

/** The error for an opaque that is too long. */
export function badOpaque({ words }: MetaFlags): Bytes | undefined {
  return words.some((word) => word[0] === 'O' && word.length > longestOpaque)
    ? 'CLIENT_ERROR opaque token too long'
    : undefined
}

/** The stored form of a key: as sent, or decoded from base64. Undefined if it cannot be decoded. */
export function keyOf(key: Bytes, flags: MetaFlags): Bytes | undefined {
  if (!flags.has('b')) return key
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(key)) return undefined
  return Buffer.from(key, 'base64').toString('latin1')
}

/** The key flag of a reply. @param binary whether the key came in base64 */
export function saidKey(key: Bytes, binary: boolean): Bytes {
  return binary ? ` k${Buffer.from(key, 'latin1').toString('base64')} b` : ` k${key}`
}

/** The flags for key and opaque, which are answered even if there is no item. */
export function echoed(key: Bytes, flags: MetaFlags): Bytes {
  return flags.words
    .map((word) => {
      if (word[0] === 'O') return ` ${word}`
      return word[0] === 'k' ? saidKey(key, flags.has('b')) : ''
    })
    .join('')
}
