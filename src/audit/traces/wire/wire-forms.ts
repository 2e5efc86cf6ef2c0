/**
 * Converts captured commands of the binary and the meta protocol into the text protocol, so that one reader handles all three.
 * Source: memcached's doc/protocol-binary.txt and doc/protocol.txt; statuses per docs/reference/pylibmc.md#7.2.
 */
import {
  commandLine,
  headerLength,
  opcodeOf,
  packetHeader,
  replyMagic,
  requestMagic,
} from '../../../capture/index.js'
import type { Bytes } from '../../../ground/bytes.js'
import type { WireEvent } from '../trace.js'

/** A command and its reply in the text protocol. */
export type TextForm = Pick<WireEvent, 'wire' | 'reply'>

/** @returns the event's own bytes when they are text; the reason when the text protocol has no such command */
export function textForm({ wire, reply }: TextForm): TextForm | { readonly skipped: string } {
  if (wire.charCodeAt(0) === requestMagic) return binaryForm(wire, reply)
  if (/^m[gsda] /.test(wire)) return metaForm(wire, reply)
  return { wire, reply }
}

interface Packet {
  readonly verb: string
  readonly status: number
  readonly extras: Buffer
  readonly key: Bytes
  readonly value: Bytes
  readonly cas: bigint
}

/** @throws RangeError for bytes that are not packets */
function packets(bytes: Bytes, magic: number): readonly Packet[] {
  const found: Packet[] = []
  const all = Buffer.from(bytes, 'latin1')
  for (let at = 0; at < all.length; ) {
    const head = all.subarray(at, at + headerLength)
    const header = head.length === headerLength ? packetHeader(head, magic) : undefined
    if (!header || at + headerLength + header.bodyLength > all.length)
      throw new RangeError(`byte ${at} does not begin a complete packet`)
    const body = all.subarray(at + headerLength, at + headerLength + header.bodyLength)
    const front = header.extrasLength + header.keyLength
    found.push({
      verb: opcodeOf(header.opcode).verb,
      status: header.status,
      extras: body.subarray(0, header.extrasLength),
      key: body.toString('latin1', header.extrasLength, front),
      value: body.toString('latin1', front),
      cas: head.readBigUInt64BE(16),
    })
    at += headerLength + header.bodyLength
  }
  return found
}

function binaryForm(wire: Bytes, reply: Bytes | null | undefined): TextForm | { readonly skipped: string } {
  const requests = packets(wire, requestMagic)
  const replies = typeof reply === 'string' ? packets(reply, replyMagic) : reply
  const [first] = requests
  if (!first) return { skipped: 'an empty packet' }
  const blank = requests.map(({ key }) => key).find((key) => /[\0-\x20\x7f]/.test(key))
  if (blank !== undefined)
    return { skipped: `the text protocol cannot carry the key ${JSON.stringify(blank)}` }
  const answer = (text: Bytes | undefined): TextForm['reply'] =>
    replies === null || replies === undefined ? replies : text
  const status = replies?.at(-1)?.status
  const { verb, key, extras, value, cas } = first
  switch (verb) {
    case 'get': {
      const keys = requests.filter((request) => request.verb === 'get').map((request) => request.key)
      const items = (replies ?? []).filter((packet) => packet.verb === 'get' && packet.status === 0)
      const lines = items.map((item) => {
        const name = item.key === '' ? (keys[0] ?? '') : item.key
        return `VALUE ${name} ${item.extras.readUInt32BE(0)} ${item.value.length}\r\n${item.value}\r\n`
      })
      return { wire: `get ${keys.join(' ')}\r\n`, reply: answer(`${lines.join('')}END\r\n`) }
    }
    case 'set':
    case 'add':
    case 'replace': {
      if (extras.length < 8) return { skipped: `${verb} without flags` }
      const words = `${key} ${extras.readUInt32BE(0)} ${extras.readInt32BE(4)} ${value.length}`
      const named = cas === 0n ? `${verb} ${words}` : `cas ${words} ${cas}`
      return { wire: `${named}\r\n${value}\r\n`, reply: answer(statusLine(status, 'STORED')) }
    }
    case 'append':
    case 'prepend':
      return {
        wire: `${verb} ${key} 0 0 ${value.length}\r\n${value}\r\n`,
        reply: answer(status === 5 ? 'NOT_STORED\r\n' : statusLine(status, 'STORED')),
      }
    case 'incr':
    case 'decr': {
      if (extras.length < 20) return { skipped: `${verb} without a delta` }
      const number = Buffer.from(replies?.at(-1)?.value ?? '', 'latin1')
      const counted = number.length === 8 ? `${number.readBigUInt64BE(0)}\r\n` : undefined
      return {
        wire: `${verb} ${key} ${extras.readBigUInt64BE(0)}\r\n`,
        reply: answer(status === 0 ? counted : statusLine(status, '')),
      }
    }
    case 'delete':
      return { wire: `delete ${key}\r\n`, reply: answer(statusLine(status, 'DELETED')) }
    case 'touch':
      return extras.length < 4
        ? { skipped: 'touch without a time' }
        : {
            wire: `touch ${key} ${extras.readInt32BE(0)}\r\n`,
            reply: answer(statusLine(status, 'TOUCHED')),
          }
    case 'flush_all':
      return { wire: 'flush_all\r\n', reply: answer(statusLine(status, 'OK')) }
    case 'stats':
      return { wire: key === '' ? 'stats\r\n' : `stats ${key}\r\n`, reply: undefined }
    default:
      return { skipped: `the binary ${verb} is not a command of the Python libraries` }
  }
}

/** Undefined for a status without a counterpart in the text protocol. Source: docs/reference/pylibmc.md#7.2. */
function statusLine(status: number | undefined, success: string): Bytes | undefined {
  const word = new Map([
    [0, success],
    [1, 'NOT_FOUND'],
    [2, 'EXISTS'],
    [3, 'SERVER_ERROR object too large for cache'],
    [5, 'NOT_STORED'],
    [6, 'CLIENT_ERROR cannot increment or decrement non-numeric value'],
  ]).get(status ?? -1)
  return word === undefined ? undefined : `${word}\r\n`
}

function metaForm(wire: Bytes, reply: Bytes | null | undefined): TextForm | { readonly skipped: string } {
  const end = wire.indexOf('\r\n')
  const words = wire.slice(0, end).split(' ').filter(Boolean)
  const [verb = '', name = '', ...given] = words
  const flag = (letter: string) => given.find((word) => word[0] === letter)?.slice(1)
  const key = given.includes('b') ? Buffer.from(name, 'base64').toString('latin1') : name
  const line = commandLine(Buffer.from(wire.slice(0, end + 2), 'latin1'))
  const answer = (text: Bytes | undefined): TextForm['reply'] => (typeof reply === 'string' ? text : reply)
  const code = typeof reply === 'string' ? reply.slice(0, 2) : ''
  const stored = statusOf(code, 'STORED')
  switch (verb) {
    case 'mg': {
      if (!given.includes('v'))
        return { skipped: 'mg without a value is not a command of the Python libraries' }
      const [, length, rest, data] = /^VA (\d+)([^\r\n]*)\r\n(.*)\r\n$/s.exec(reply ?? '') ?? []
      const flags = /(?:^| )f(\d+)/.exec(rest ?? '')?.[1] ?? '0'
      const item = data === undefined ? '' : `VALUE ${key} ${flags} ${length}\r\n${data}\r\n`
      return { wire: `get ${key}\r\n`, reply: answer(`${item}END\r\n`) }
    }
    case 'ms': {
      const modes: Readonly<Record<string, string>> = { E: 'add', A: 'append', P: 'prepend', R: 'replace' }
      const mode = modes[flag('M')?.[0]?.toUpperCase() ?? ''] ?? 'set'
      const length = line?.data?.length ?? 0
      const data = wire.slice(end + 2, end + 2 + length)
      const times = `${flag('F') ?? 0} ${flag('T') ?? 0} ${length}`
      const unique = flag('C')
      const head = unique === undefined ? `${mode} ${key} ${times}` : `cas ${key} ${times} ${unique}`
      return { wire: `${head}\r\n${data}\r\n`, reply: answer(stored) }
    }
    case 'md':
      return { wire: `delete ${key}\r\n`, reply: answer(statusOf(code, 'DELETED')) }
    default: {
      const down = /^[dD-]/.test(flag('M') ?? '')
      const number = /^VA \d+[^\r\n]*\r\n(\d+)/.exec(reply ?? '')?.[1]
      const line = number === undefined ? statusOf(code, '') : `${number}\r\n`
      return { wire: `${down ? 'decr' : 'incr'} ${key} ${flag('D') ?? 1}\r\n`, reply: answer(line) }
    }
  }
}

function statusOf(code: string, success: string): Bytes | undefined {
  const word = new Map([
    ['HD', success],
    ['NF', 'NOT_FOUND'],
    ['NS', 'NOT_STORED'],
    ['EX', 'EXISTS'],
  ]).get(code)
  return word === undefined || word === '' ? undefined : `${word}\r\n`
}
