/**
 * Converts a captured command line into the call of the application, and the reply into its outcome.
 * Source: memcached's text protocol; results per docs/reference/python-memcached.md#10 and docs/reference/pylibmc.md#7.1.
 */
import type { Bytes } from '../../../ground/bytes.js'
import {
  FLAG_INTEGER,
  FLAG_ZLIB,
  pylibmcEncoding,
  pymemcacheEncoding,
  pythonMemcachedEncoding,
  toTypedJson,
  type ValueEncoding,
} from '../../../values/index.js'
import { sourceDialect, sourceFacts } from '../../columns.js'
import type { Outcome } from '../../compare/outcome.js'
import type { Library } from '../../methods/python-signatures.js'
import type { CallEvent, WireEvent } from '../trace.js'
import { textForm } from './wire-forms.js'

/** The call, or the reason why no library sends this command. */
export type FromWire = CallEvent | { readonly skipped: string }

export function callOfWire(given: WireEvent, library: Library): FromWire {
  let event = given
  try {
    const text = textForm(given)
    if ('skipped' in text) return text
    event = { ...given, ...text }
  } catch (error) {
    return { skipped: error instanceof Error ? error.message : String(error) }
  }
  const end = event.wire.indexOf('\r\n')
  const head = end < 0 ? event.wire : event.wire.slice(0, end)
  const words = head.split(' ').filter((word) => word !== '')
  const verb = words[0] ?? ''
  const encoding = encodingOf(library)
  try {
    const call = command(verb, words, end < 0 ? '' : event.wire.slice(end + 2), encoding, library)
    if ('skipped' in call) return call
    const { line, t, client, at } = event
    const outcome =
      typeof event.reply === 'string' ? replyOutcome(verb, words, event.reply, encoding, library) : undefined
    return {
      kind: 'call',
      line,
      t,
      client,
      ...call,
      ...(outcome && { outcome }),
      ...(at !== undefined && { at }),
    }
  } catch (error) {
    return { skipped: `${verb}: ${error instanceof Error ? error.message : String(error)}` }
  }
}

type Call = Pick<CallEvent, 'call' | 'args' | 'kwargs'>

function command(
  verb: string,
  words: readonly string[],
  data: Bytes,
  encoding: ValueEncoding,
  library: Library,
): Call | { readonly skipped: string } {
  // pylibmc sends it for a behavior and has no such argument.
  const noreply: Call['kwargs'] =
    words.at(-1) === 'noreply' && library.name !== 'pylibmc' ? { noreply: true } : {}
  const text = (i: number) => toTypedJson(keyText(words[i] ?? ''))
  switch (verb) {
    case 'get':
    case 'gets':
      if (words.length < 2) return { skipped: `${verb} without a key` }
      if (words.length === 2) return { call: verb, args: [text(1)], kwargs: {} }
      return { call: 'get_multi', args: [words.slice(1).map((_, i) => text(i + 1))], kwargs: {} }
    case 'set':
    case 'add':
    case 'replace':
    case 'append':
    case 'prepend':
    case 'cas': {
      const [flags, time, length] = words.slice(2, 5).map(Number)
      if (
        flags === undefined ||
        time === undefined ||
        length === undefined ||
        Number.isNaN(flags + time + length)
      ) {
        return { skipped: `${verb} with a malformed command line` }
      }
      if (data.length < length) return { skipped: `${verb} with ${data.length} of ${length} bytes of data` }
      const value = storedValue(encoding, flags, Buffer.from(data.slice(0, length), 'latin1'))
      // python-memcached keeps the unique itself.
      const unique = verb === 'cas' && library.name !== 'python-memcached' ? [integer(words[5])] : []
      return { call: verb, args: [text(1), toTypedJson(value), ...unique, time], kwargs: noreply }
    }
    case 'incr':
    case 'decr':
      return { call: verb, args: [text(1), integer(words[2])], kwargs: noreply }
    case 'touch':
      return { call: verb, args: [text(1), integer(words[2])], kwargs: noreply }
    case 'delete':
      return { call: verb, args: [text(1)], kwargs: noreply }
    case 'flush_all':
      return { call: verb, args: [], kwargs: {} }
    case 'stats':
      return {
        call: library.name === 'pymemcache' ? 'stats' : 'get_stats',
        args: words.length > 1 ? [words.slice(1).join(' ')] : [],
        kwargs: {},
      }
    default:
      return { skipped: `"${verb}" is not a command of ${library.name} ${library.version}` }
  }
}

function encodingOf(library: Library): ValueEncoding {
  const { name } = library
  if (name === 'pylibmc') return pylibmcEncoding({ preserve: true })
  // Values that its compressed_serde has compressed are read by the flag, too.
  if (name === 'pymemcache') return pymemcacheEncoding({ serde: 'compressed', preserve: true })
  return pythonMemcachedEncoding({ dialect: sourceDialect(library), preserve: true })
}

/** pylibmc writes the flag 2 only for a bool (docs/reference/pylibmc.md#4.2), which it reads as an integer. */
function storedValue(encoding: ValueEncoding, flags: number, data: Buffer): unknown {
  const value = encoding.decode(flags, data)
  const isBool = encoding.name === 'pylibmc' && (flags & ~FLAG_ZLIB) === FLAG_INTEGER
  return isBool && (value === 0 || value === 1) ? value === 1 : value
}

function replyOutcome(
  verb: string,
  words: readonly string[],
  reply: Bytes,
  encoding: ValueEncoding,
  library: Library,
): Outcome | undefined {
  const pylibmc = library.name === 'pylibmc'
  const memcache = library.name === 'python-memcached'
  const line = reply.split('\r\n', 1)[0] ?? ''
  switch (verb) {
    case 'get':
    case 'gets': {
      const items = itemsOf(reply)
      // The tuple of the other libraries' gets holds a CAS unique of the recorded server, which no replay can repeat.
      if (!items || (!memcache && verb === 'gets')) return undefined
      const values = items.map(
        ({ key, flags, data }) => [keyText(key), encoding.decode(flags, data)] as const,
      )
      if (words.length > 2) return { result: toTypedJson(new Map(values)) }
      return { result: values[0] ? toTypedJson(values[0][1]) : null }
    }
    case 'incr':
    case 'decr':
      if (/^\d+ *$/.test(line)) return { result: integer(line.trim()) }
      if (line === 'NOT_FOUND')
        return pylibmc ? { raises: { class: 'pylibmc.NotFound', retcode: 16 } } : { result: null }
      return memcache ? { raises: { class: 'builtins.ValueError' } } : undefined
    case 'delete':
      if (line !== 'DELETED' && line !== 'NOT_FOUND') return undefined
      if (!memcache) return { result: line === 'DELETED' }
      return { result: line === 'DELETED' ? 1 : sourceFacts(library).missingDelete }
    case 'touch':
      if (line !== 'TOUCHED' && line !== 'NOT_FOUND') return undefined
      if (!memcache) return { result: line === 'TOUCHED' }
      return { result: line === 'TOUCHED' ? 1 : 0 }
    case 'flush_all':
      return line === 'OK' ? { result: memcache ? null : true } : undefined
    case 'stats':
      return undefined
    default:
      if (line === 'STORED') return { result: true }
      return line === 'NOT_STORED' || line === 'EXISTS' || memcache ? { result: false } : undefined
  }
}

interface CapturedItem {
  readonly key: Bytes
  readonly flags: number
  readonly data: Buffer
}

/** The items of a complete retrieval reply; undefined when it is anything else. */
function itemsOf(reply: Bytes): readonly CapturedItem[] | undefined {
  const items: CapturedItem[] = []
  let at = 0
  while (!reply.startsWith('END\r\n', at)) {
    const end = reply.indexOf('\r\n', at)
    const header = /^VALUE (\S+) (\d+) (\d+)/.exec(reply.slice(at, end < 0 ? undefined : end))
    if (end < 0 || !header) return undefined
    const length = Number(header[3])
    const data = reply.slice(end + 2, end + 2 + length)
    if (data.length < length) return undefined
    items.push({ key: header[1]!, flags: Number(header[2]), data: Buffer.from(data, 'latin1') })
    at = end + 2 + length + 2
  }
  return items
}

/** A key in Python: text when the bytes are UTF-8, else bytes. */
function keyText(key: Bytes): string | Buffer {
  const bytes = Buffer.from(key, 'latin1')
  const text = bytes.toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : bytes
}

function integer(word: string | undefined) {
  if (word === undefined || !/^-?\d+$/.test(word)) throw new RangeError(`"${word ?? ''}" is not a number`)
  return toTypedJson(BigInt(word))
}
