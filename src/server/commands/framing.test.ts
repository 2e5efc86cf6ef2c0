/** Requests and replies do not depend on how the network cuts them. Expectations: memcached 1.6.18. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Store } from '../store/store.js'
import { defaultVersion, serverFacts } from '../versions.js'
import { RequestFraming } from './framing.js'
import { respond } from './respond.js'

const facts = serverFacts(defaultVersion)
const environment = { connections: 1, host: '127.0.0.1', port: 11211, evict: true, facts }

function replies(input: Buffer, cuts: readonly number[]): string {
  const framing = new RequestFraming(1024 * 1024)
  const store = new Store({ clock: () => 1_700_000_000, memory: 64 * 1024 * 1024, evict: true, facts })
  let said = ''
  let from = 0
  for (const to of [...new Set(cuts)].sort((a, b) => a - b).concat(input.length)) {
    // A chunk of its own that is wiped afterwards: sockets reuse their memory.
    const chunk = Buffer.from(input.subarray(from, to))
    for (const frame of framing.push(chunk)) {
      const reply = respond(store, frame, environment)
      const pieces = 'goodbye' in reply ? reply.goodbye : reply
      said += pieces.map((piece) => piece.toString('latin1')).join('')
      if ('goodbye' in reply) said += '<quit>'
    }
    chunk.fill(0)
    from = to
  }
  return said
}

const key = fc.constantFrom('a', 'b', '\xff\x01', 'k'.repeat(250), 'k'.repeat(251))
const number = fc.constantFrom('0', '1', '-1', '5', 'x', '4294967296', '18446744073709551615')
const request = fc.oneof(
  fc
    .tuple(fc.constantFrom('set', 'add', 'replace', 'append', 'prepend'), key, number, number, fc.string())
    .map(([verb, k, flags, time, value]) => `${verb} ${k} ${flags} ${time} ${value.length}\r\n${value}\r\n`),
  fc.tuple(fc.constantFrom('get', 'gets', 'delete'), key).map((words) => `${words.join(' ')}\r\n`),
  fc.tuple(fc.constantFrom('incr', 'decr', 'touch'), key, number).map((words) => `${words.join(' ')}\r\n`),
  fc.tuple(key, number).map(([k, n]) => `cas ${k} 0 0 1 ${n}\r\nv\r\n`),
  fc.constantFrom('\r\n', 'version\n', 'flush_all noreply\r\n', 'set a 0 0 3\r\nab\r\nget a\r\n'),
)

/** Any header, fitting ones and others. */
const binary = fc
  .record({
    // Statistics (0x10) tell the time that the process has used, which goes on.
    opcode: fc.nat(0x26).filter((opcode) => opcode !== 0x10),
    extras: fc.constantFrom(
      '',
      '\0\0\0\x05',
      '\0\0\0\x01\0\0\0\0',
      `${'\0\0\0\0\0\0\0\x01'.repeat(2)}\0\0\0\0`,
    ),
    key: fc.constantFrom('', 'a', 'b c\n', 'k'.repeat(251)),
    value: fc.constantFrom('', '1', 'text'),
    cas: fc.nat(3),
    missing: fc.constantFrom(0, 0, 0, 0, 2),
  })
  .map(({ opcode, extras, key, value, cas, missing }) => {
    const head = Buffer.alloc(24)
    head[0] = 0x80
    head[1] = opcode
    head.writeUInt16BE(key.length, 2)
    head[4] = extras.length
    head.writeUInt32BE(Math.max(0, extras.length + key.length + value.length - missing), 8)
    head[23] = cas
    return head.toString('latin1') + extras + key + value
  })

test('any split of the bytes gives the same replies', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.array(request, { minLength: 1, maxLength: 12 }),
        fc.array(binary, { minLength: 1, maxLength: 12 }),
      ),
      fc.array(fc.nat(1500), { maxLength: 40 }),
      (requests, cuts) => {
        const input = Buffer.from(requests.join(''), 'latin1')
        const whole = replies(input, [])
        expect(
          replies(
            input,
            cuts.map((cut) => cut % input.length),
          ),
        ).toBe(whole)
        expect(replies(input, Array.from(input.keys()))).toBe(whole)
      },
    ),
  )
})

test('an oversized data block is read over and the request after it is understood', () => {
  const input = Buffer.from(`set a 0 0 1048577\r\n${'v'.repeat(1048577)}\r\nversion\r\n`, 'latin1')
  expect(replies(input, [5, 70_000, 1_000_000])).toBe(
    'SERVER_ERROR object too large for cache\r\nVERSION 1.6.18\r\n',
  )
})

test('an endless line that is not a get breaks the connection off', () => {
  const framing = new RequestFraming()
  framing.push(Buffer.alloc(2000, 'x'))
  expect(framing.broken).toBe(false)
  framing.push(Buffer.alloc(49, 'x'))
  expect(framing.broken).toBe(true)
})
