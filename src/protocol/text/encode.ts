/**
 * Text protocol requests as bytes, in the spellings of the Python libraries (docs/reference/pylibmc.md#11.1,
 * docs/reference/python-memcached.md#16.1). No I/O.
 */

import type { Bytes } from '../../ground/bytes.js'
import { wasPlainKey } from '../plain-key.js'
import type { Output } from '../protocol.js'
import { checkStore, type Request, type RetrievalRequest, type StoreRequest } from '../requests.js'

/** Longest key memcached takes, in bytes. */
export const MAX_KEY_LENGTH = 250

// What may stand inside a command line: anything but blanks and controls. DEL and bytes from 0x80 on are legal in keys.
const UNSAFE = /[^\x21-\xff]/
const UNSAFE_LINE = /[^\x20-\x7e\x80-\xff]/

function word(text: Bytes, what: string): void {
  if (text.length === 0 || UNSAFE.test(text)) {
    throw new RangeError(`${what} ${JSON.stringify(text.slice(0, 80))} cannot stand in a command line`)
  }
}

function key(text: Bytes): void {
  if (wasPlainKey(text)) return
  if (text.length > MAX_KEY_LENGTH)
    throw new RangeError(`key of ${text.length} bytes is over ${MAX_KEY_LENGTH}`)
  word(text, 'key')
}

/**
 * The last guard before the wire: no argument may break out of its place in the line.
 * @throws RangeError naming the argument
 */
export function checkText(request: Request): void {
  switch (request.kind) {
    case 'retrieval':
      for (const each of request.keys) key(each)
      return
    case 'store':
      key(request.key)
      return checkStore(request)
    case 'arithmetic':
      key(request.key)
      return request.delta === '' ? undefined : word(request.delta, 'delta')
    case 'delete':
      key(request.key)
      return request.time === undefined ? undefined : word(request.time, 'time')
    case 'touch':
      key(request.key)
      return request.exptime === undefined ? undefined : word(request.exptime, 'time')
    case 'stats':
      if (UNSAFE_LINE.test(request.argument ?? ''))
        throw new RangeError(`stats argument ${JSON.stringify(request.argument)}`)
      return
    case 'written':
      throw new RangeError('a written command belongs to another protocol')
    case 'config':
    case 'flush_all':
  }
}

/** `request` has passed `checkText`. */
export function encodeText(request: Request, out: Output): void {
  if (request.kind === 'store') encodeStore(request, out)
  else if (request.kind !== 'written')
    out.text(request.kind === 'retrieval' ? retrievalLine(request) : commandLine(request))
}

function encodeStore(request: StoreRequest, out: Output): void {
  const { verb, key, flags, exptime, data, cas, noreply, tail } = request
  const unique = verb === 'cas' ? ` ${cas ?? 0n}` : ''
  out.text(
    `${verb} ${key} ${flags} ${exptime} ${data.length}${unique}${noreply ? ' noreply' : ''}${tail}\r\n`,
  )
  out.data(data)
  out.text('\r\n')
}

function retrievalLine({ verb, keys }: RetrievalRequest): Bytes {
  let line: Bytes = verb
  for (const each of keys) line += ` ${each}`
  return `${line}\r\n`
}

function commandLine(
  request: Exclude<Request, StoreRequest | RetrievalRequest | { kind: 'written' }>,
): Bytes {
  const noreply = request.noreply ? ' noreply' : ''
  switch (request.kind) {
    case 'arithmetic':
      return `${request.verb} ${request.key}${request.delta && ` ${request.delta}`}${noreply}\r\n`
    case 'delete': {
      const time = request.time === undefined ? '' : ` ${request.time}`
      return `delete ${request.key}${time}${noreply}${request.tail}\r\n`
    }
    case 'touch': {
      const time = request.exptime === undefined ? '' : ` ${request.exptime}`
      return `touch ${request.key}${time}${noreply}\r\n`
    }
    case 'flush_all':
      return `${request.delay === undefined ? request.spelled : `flush_all ${request.delay}`}${noreply}\r\n`
    case 'config':
      return 'config get cluster\r\n'
    case 'stats':
      return request.argument === undefined ? `${request.spelled}\r\n` : `stats ${request.argument}\r\n`
  }
}
