import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS, UnintelligibleReply } from '../protocol.js'
import { retrieval } from '../requests.js'
import type { Reply } from '../wire.js'
import { TextParser } from './parser.js'

type Shape = 'line' | 'items' | 'stats'

/** The keys of the conversation below. */
const everyKey = ['a', 'b\xe9', 'k']

function parse(
  bytes: string,
  shapes: Shape[],
  cuts: number[] = [],
  keys: string[] = everyKey,
  limits = DEFAULT_LIMITS,
) {
  const replies: Reply[] = []
  const parser = new TextParser({ reply: (reply) => replies.push(reply), ready: () => undefined }, limits)
  for (const shape of shapes)
    parser.expect(
      shape === 'items' ? { shape, request: retrieval('get', keys), from: 0, to: keys.length } : { shape },
    )
  feed(parser, Buffer.from(bytes, 'latin1'), cuts)
  return replies
}

/** In chunks that are overwritten afterwards: the parser must not keep views of its input. */
function feed(parser: TextParser, all: Buffer, cuts: readonly number[]): void {
  let from = 0
  for (const cut of [...cuts.filter((cut) => cut < all.length).sort((a, b) => a - b), all.length]) {
    const chunk = Buffer.from(all.subarray(from, cut))
    parser.push(chunk)
    chunk.fill(0x21)
    from = cut
  }
}

const conversation =
  'STORED\r\nVALUE a 16 5\r\nEND\r\n\r\nVALUE b\xe9 4294967295 0 18446744073709551615\r\n\r\nEND\r\n' +
  'SERVER_ERROR out of memory storing object\r\nSTAT pid 1\r\nSTAT version 1.6.18 x\r\nSTAT empty \r\nEND\r\n42\r\n99  \r\nEND\r\nOK\n'
const shapes: Shape[] = ['line', 'items', 'items', 'stats', 'line', 'line', 'items', 'line']
const expected: Reply[] = [
  { type: 'line', status: 'STORED', line: 'STORED' },
  {
    type: 'items',
    items: [
      { key: 'a', flags: 16, cas: undefined, data: Buffer.from('END\r\n') },
      { key: 'b\xe9', flags: 4294967295, cas: 18446744073709551615n, data: Buffer.alloc(0) },
    ],
    end: { type: 'line', status: 'END', line: 'END' },
  },
  {
    type: 'items',
    items: [],
    end: { type: 'line', status: 'SERVER_ERROR', line: 'SERVER_ERROR out of memory storing object' },
  },
  {
    type: 'stats',
    stats: [
      ['pid', '1'],
      ['version', '1.6.18 x'],
      ['empty', ''],
    ],
    end: { type: 'line', status: 'END', line: 'END' },
  },
  { type: 'line', status: 'NUMBER', line: '42' },
  { type: 'line', status: 'NUMBER', line: '99  ' },
  { type: 'items', items: [], end: { type: 'line', status: 'END', line: 'END' } },
  { type: 'line', status: 'OK', line: 'OK' },
]

describe('items for a taker', () => {
  const long = 'Lorem ipsum '.repeat(400)
  const stored: Record<string, { flags: number; data: string | Buffer }> = {
    ascii: { flags: 16, data: 'plain' },
    long: { flags: 16, data: long },
    umlaut: { flags: 16, data: 'Käse \u{1f9c0}' },
    empty: { flags: 16, data: '' },
    words: { flags: 16, data: 'END\r\nVALUE ascii 0 1\r\n' },
    // Where only the strict decoder can tell, the bytes come.
    replacement: { flags: 16, data: Buffer.from('a\ufffdb') },
    broken: { flags: 16, data: Buffer.from([0x61, 0xff, 0x62]) },
    bytes: { flags: 0, data: Buffer.from('plain') },
    both: { flags: 24, data: Buffer.from('not text alone') },
  }
  const asked = [
    'miss-0',
    'ascii',
    'ascii',
    'long',
    'miss-1',
    'miss-2',
    'umlaut',
    'empty',
    'words',
    'replacement',
    'broken',
    'bytes',
    'both',
    'miss-3',
  ]
  const reply = Buffer.concat([
    ...asked.flatMap((key) => {
      const item = stored[key]
      if (!item) return []
      const data = Buffer.from(item.data)
      return [Buffer.from(`VALUE ${key} ${item.flags} ${data.length}\r\n`), data, Buffer.from('\r\n')]
    }),
    Buffer.from('END\r\n'),
  ])

  /** What each request was given before it was answered, and in which order they were answered. */
  function take(shape: 'shared' | 'items', cuts: number[]): unknown[] {
    const events: unknown[] = []
    const taker = (name: number) => ({
      textFlags: 16,
      item: (index: number, flags: number, _: unknown, data: Buffer | string) =>
        events.push([name + index, flags, typeof data === 'string' ? data : Buffer.from(data)]),
    })
    let answered = 0
    const parser = new TextParser(
      { reply: () => events.push(shape === 'shared' ? answered++ : 'end'), ready: () => undefined },
      DEFAULT_LIMITS,
    )
    if (shape === 'items')
      parser.expect({ shape, request: retrieval('get', asked, true, taker(0)), from: 0, to: asked.length })
    else
      parser.expect({
        shape: 'shared',
        requests: asked.map((key, i) => retrieval('get', [key], false, taker(i))),
      })
    feed(parser, reply, cuts)
    return events
  }
  const hit = (key: string, i: number) => (stored[key] ? [[i, stored[key].flags, stored[key].data]] : [])

  test('of gets that share a command: each has its item before its answer, misses none, in order', () => {
    const expected = asked.flatMap((key, i) => [...hit(key, i), i])
    // An item is an answer only when the next one has begun, so it comes before the answer and after those before it.
    for (let cut = 0; cut < reply.length; cut++) {
      const events = take('shared', [cut])
      expect(events.filter((event) => typeof event === 'number')).toEqual(asked.map((_, i) => i))
      expect(events.toSorted(byRequest)).toEqual(expected)
    }
  })

  test('of a get of many keys: by their place among the keys', () => {
    const expected = [...asked.flatMap(hit), 'end']
    for (let cut = 0; cut < reply.length; cut++) expect(take('items', [cut])).toEqual(expected)
    fc.assert(
      fc.property(fc.array(fc.nat(reply.length - 1)), (cuts) => {
        expect(take('items', cuts)).toEqual(expected)
      }),
    )
  })

  function byRequest(a: unknown, b: unknown): number {
    const place = (event: unknown) => (Array.isArray(event) ? event[0] * 2 : (event as number) * 2 + 1)
    return place(a) - place(b)
  }
})

describe('replies', () => {
  test('every kind of reply is cut out of one chunk, data blocks by their length alone', () => {
    expect(parse(conversation, shapes)).toEqual(expected)
  })

  test('the same replies come out at every split point', () => {
    for (let cut = 1; cut < conversation.length; cut++)
      expect(parse(conversation, shapes, [cut])).toEqual(expected)
  })

  test('the same replies come out of any chunking', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(conversation.length - 1)), (cuts) => {
        expect(parse(conversation, shapes, cuts)).toEqual(expected)
      }),
    )
  })

  test('every key that memcached takes comes back, also with the byte 0xa0 that is a blank elsewhere', () => {
    const byte = fc.integer({ min: 0x21, max: 0xff }).filter((code) => code !== 0x7f)
    fc.assert(
      fc.property(fc.array(byte, { minLength: 1, maxLength: 250 }), (codes) => {
        const key = String.fromCharCode(...codes)
        const [reply] = parse(`VALUE ${key} 0 1 7\r\nx\r\nEND\r\n`, ['items'], [], [key])
        expect(reply?.type === 'items' && reply.items[0]?.key).toBe(key)
      }),
    )
    const [reply] = parse('VALUE \xc3\xa0 0 1\r\nx\r\nEND\r\n', ['items'], [], ['\xc3\xa0'])
    expect(reply?.type === 'items' && reply.items[0]?.key).toBe('\xc3\xa0')
  })

  test('a data block of several megabytes in small chunks arrives whole', () => {
    const data = 'abcdefghij'.repeat(300_000)
    const bytes = `VALUE k 0 ${data.length}\r\n${data}\r\nEND\r\n`
    const cuts = Array.from({ length: 300 }, (_, i) => i * 10_007)
    const [reply] = parse(bytes, ['items'], cuts)
    expect(reply?.type === 'items' && reply.items[0]?.data.toString()).toBe(data)
  })
})

describe('bytes that cannot be a reply', () => {
  const rejected = (bytes: string, shape: Shape[], keys?: string[], limits = DEFAULT_LIMITS) =>
    expect(() => parse(bytes, shape, [], keys, limits)).toThrow(UnintelligibleReply)

  test('a reply without a request', () => {
    rejected('STORED\r\nSTORED\r\n', ['line'])
  })
  test('a data block that is longer than its header says', () => {
    rejected('VALUE k 0 2\r\nabc\r\nEND\r\n', ['items'])
  })
  test.each([
    'VALUE k 0\r\n',
    'VALUE k 0 -1\r\n',
    'VALUE k x 1\r\n',
    'VALUE k 0 1 2 3\r\n',
    'VALUE  0 1\r\n',
  ])('a malformed item header: %j', (bytes) => {
    rejected(bytes, ['items'])
  })
  test('a header that claims more than the limit', () => {
    rejected('VALUE k 0 2000\r\n', ['items'], undefined, { maxLine: 100, maxData: 1000 })
  })
  test('a line without an end', () => {
    rejected('x'.repeat(200), ['line'], undefined, { maxLine: 100, maxData: 1000 })
  })
  test('an item that was not asked for, or comes twice, or out of order', () => {
    rejected('VALUE b 0 1\r\nx\r\nEND\r\n', ['items'], ['a'])
    rejected('VALUE a 0 1\r\nx\r\nVALUE a 0 1\r\nx\r\nEND\r\n', ['items'], ['a'])
    rejected('VALUE b 0 1\r\nx\r\nVALUE a 0 1\r\nx\r\nEND\r\n', ['items'], ['a', 'b'])
  })
})
