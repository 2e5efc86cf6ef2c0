/**
 * Text protocol requests as bytes, in the spellings of the Python libraries (spec/pylibmc §11.1,
 * spec/python-memcached §16.1). No I/O.
 */
import type { Bytes, Request, StoreVerb, WireDialect } from './wire.js'

/** Longest key memcached takes, in bytes. */
export const MAX_KEY_LENGTH = 250

// What may stand inside a command line: anything but blanks, controls and DEL. Bytes from 0x80 on are legal in keys.
const UNSAFE = /[^\x21-\x7e\x80-\xff]/

/**
 * The last guard before the wire: no argument may break out of its place in the line.
 * @throws RangeError naming the argument
 */
function word(text: Bytes, what: string): Bytes {
  if (text.length === 0 || UNSAFE.test(text)) {
    throw new RangeError(`${what} ${JSON.stringify(text.slice(0, 80))} cannot stand in a command line`)
  }
  return text
}

function key(text: Bytes): Bytes {
  if (text.length > MAX_KEY_LENGTH)
    throw new RangeError(`key of ${text.length} bytes is over ${MAX_KEY_LENGTH}`)
  return word(text, 'key')
}

const line = (head: Bytes, noreply: boolean): Request => ({ head, reply: noreply ? 'none' : 'line' })

/** `get` or `gets` of one or more keys; the reply may name only these keys. */
export function retrieval(verb: 'get' | 'gets', keys: readonly Bytes[]): Request {
  let head: Bytes = verb
  for (const each of keys) head += ` ${key(each)}`
  return { head: `${head}\r\n`, reply: 'items', keys }
}

export interface StoreRequest {
  readonly verb: StoreVerb
  readonly key: Bytes
  /** Unsigned 32 bit. */
  readonly flags: number
  readonly exptime: number | bigint
  readonly data: Uint8Array
  /** CAS unique, only for `cas`. */
  readonly cas?: bigint
  readonly noreply?: boolean
}

export function store(request: StoreRequest, dialect: WireDialect): Request {
  const unique = request.verb === 'cas' ? ` ${request.cas ?? 0n}` : ''
  const noreply = request.noreply ? ' noreply' : ''
  const { verb, flags, exptime, data } = request
  return {
    head: `${verb} ${key(request.key)} ${flags} ${exptime} ${data.length}${unique}${noreply}${dialect.storeTail}\r\n`,
    body: data,
    reply: request.noreply ? 'none' : 'line',
  }
}

/** The delta is written as given: python-memcached sends whatever text it got. */
export function arithmetic(verb: 'incr' | 'decr', name: Bytes, delta: Bytes, noreply = false): Request {
  return line(`${verb} ${key(name)} ${word(delta, 'delta')}${noreply ? ' noreply' : ''}\r\n`, noreply)
}

/** `tail` is what follows the key: a time of python-memcached ≤ 1.59, or the blank of its delete_multi. */
export function remove(
  name: Bytes,
  options: { time?: Bytes; tail?: Bytes; noreply?: boolean } = {},
): Request {
  const time = options.time === undefined ? '' : ` ${word(options.time, 'time')}`
  const noreply = options.noreply ? ' noreply' : ''
  return line(`delete ${key(name)}${time}${noreply}${options.tail ?? ''}\r\n`, options.noreply === true)
}

/** Without a time the server refuses the command, as python-memcached's users know. */
export function touch(name: Bytes, exptime: Bytes | undefined, noreply = false): Request {
  return line(
    `touch ${key(name)}${exptime === undefined ? '' : ` ${word(exptime, 'time')}`}${noreply ? ' noreply' : ''}\r\n`,
    noreply,
  )
}

export function flushAll(dialect: WireDialect, delay?: bigint, noreply = false): Request {
  const head = delay === undefined ? dialect.flushAll : `flush_all ${delay}`
  return line(`${head}${noreply ? ' noreply' : ''}\r\n`, noreply)
}

export function stats(dialect: WireDialect, argument?: Bytes): Request {
  if (argument === undefined) return { head: `${dialect.stats}\r\n`, reply: 'stats' }
  if (/[^\x20-\x7e\x80-\xff]/.test(argument))
    throw new RangeError(`stats argument ${JSON.stringify(argument)}`)
  return { head: `stats ${argument}\r\n`, reply: 'stats' }
}
