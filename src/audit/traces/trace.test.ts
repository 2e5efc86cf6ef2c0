import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { parseEvent, parseHeader } from './parse.js'
import type { TraceEvent } from './trace.js'
import { readTrace, writeTrace } from './trace-file.js'

const header =
  '{"format":"memshim-trace/1","library":"python-memcached","version":"1.59","servers":1,"unknown":true}'
// The example of docs/formats.md.
const lines = [
  '{"t":0.0,"client":"c1","new":{"servers":["127.0.0.1:11211",{"$tuple":["h:1",2]}],"kwargs":{"pickleProtocol":5}}}',
  '{"t":0.0021,"client":"c1","call":"set","args":[":1:key","value",300],"kwargs":{},"result":true,"at":"tests.test_simple"}',
  '{"t":0.0024,"client":"c1","call":"incr","args":[":1:no"],"raises":{"class":"builtins.ValueError","message":"…"}}',
  '{"t":0.0030,"client":"c2","wire":"set a 0 0 1\\r\\nx\\r\\n","server":0,"reply":"STORED\\r\\n"}',
  '{"t":1.5,"fault":"down","server":0}',
]

const folder = mkdtempSync(join(tmpdir(), 'memshim-trace-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function all(path: string): Promise<TraceEvent[]> {
  const events: TraceEvent[] = []
  for await (const event of (await readTrace(path)).events()) events.push(event)
  return events
}

describe('trace lines', () => {
  it('reads every kind of event of the format', () => {
    const events = lines.map((text, i) => parseEvent(text, i + 2))
    expect(events).toMatchObject([
      { kind: 'new', client: 'c1', servers: ['127.0.0.1:11211', ['h:1', 2]], kwargs: { pickleProtocol: 5 } },
      {
        kind: 'call',
        line: 3,
        t: 0.0021,
        args: [':1:key', 'value', 300],
        outcome: { result: true },
        at: 'tests.test_simple',
      },
      { kind: 'call', call: 'incr', kwargs: {}, outcome: { raises: { class: 'builtins.ValueError' } } },
      { kind: 'wire', wire: 'set a 0 0 1\r\nx\r\n', server: 0, reply: 'STORED\r\n' },
      { kind: 'fault', fault: { fault: 'down', server: 0 } },
    ])
  })

  it('expands repeated bytes of a capture', () => {
    const event = parseEvent(
      '{"t":0,"client":"c","wire":["set a 0 0 3\\r\\n",{"$repeat":["x",3]},"\\r\\n"],"server":0}',
      2,
    )
    expect(event).toMatchObject({ wire: 'set a 0 0 3\r\nxxx\r\n' })
  })

  it.each([
    ['not json', 'line 7: is not JSON'],
    ['[1]', 'line 7: is not a JSON object'],
    ['{"client":"c","call":"get"}', 'line 7, field "t": is missing'],
    ['{"t":"0","client":"c","call":"get"}', 'line 7, field "t": is not a number'],
    ['{"t":-1,"client":"c","call":"get"}', 'line 7, field "t": -1 is not a time'],
    ['{"t":0,"call":"get"}', 'line 7, field "client": is missing'],
    ['{"t":0,"client":"c","call":1}', 'line 7, field "call": is not a string'],
    ['{"t":0,"client":"c","call":"get","args":{}}', 'line 7, field "args": is not a list'],
    ['{"t":0,"client":"c","call":"get","kwargs":[]}', 'line 7, field "kwargs": is not an object'],
    ['{"t":0,"client":"c","call":"get","raises":{}}', 'line 7, field "raises.class": is missing'],
    ['{"t":0,"client":"c","new":{}}', 'line 7, field "new.servers": is missing'],
    ['{"t":0,"client":"c","new":{"servers":[5]}}', 'line 7, field "new.servers[0]"'],
    ['{"t":0,"client":"c","wire":"get a\\r\\n"}', 'line 7, field "server": is missing'],
    [
      '{"t":0,"client":"c","wire":"get \\u0100\\r\\n","server":0}',
      'line 7, field "wire": holds a character above U+00FF at position 4',
    ],
    [
      '{"t":0,"client":"c","wire":[{"$repeat":["x",1e12]}],"server":0}',
      'line 7, field "wire": is longer than 16777216 bytes',
    ],
    [
      `{"t":0,"client":"c","wire":[${'{"$repeat":["xxxxxxxx",2000000]},'.repeat(50)}""],"server":0}`,
      'line 7, field "wire": is longer than 16777216 bytes',
    ],
    ['{"t":0,"client":"c","wire":[{"$repeat":["x"]}],"server":0}', 'line 7, field "wire": is not bytes'],
    ['{"t":1e300,"client":"c","call":"get"}', 'line 7, field "t": 1e+300 is not a time'],
    [
      `{"t":0,"client":"c","new":{"servers":[${'"a:1",'.repeat(1000)}"a:1"]}}`,
      'line 7, field "new.servers": names 1001 servers, more than 1000',
    ],
    ['{"t":0,"client":"c","new":{"servers":[["a:1",1,1]]}}', 'line 7, field "new.servers[0]"'],
    [
      `{"t":0,"client":"c","call":"get","args":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'line 7: is nested deeper than 1000',
    ],
    ['{"t":0,"fault":"explode","server":0}', 'line 7, field "fault"'],
    [
      '{"t":0,"client":"c","call":"servers","args":[1]}',
      'line 7, field "args": must be empty: servers is the read of an attribute',
    ],
    [
      '{"t":0,"client":"c","call":"get","args":["k"],"result":1,"raises":{"class":"X"}}',
      'line 7, field "raises": and a result cannot both be the outcome',
    ],
    ['{"t":0,"client":"c","step":"jump"}', 'line 7, field "step": is not a known event'],
  ])('names line and field of %s', (text, message) => {
    expect(() => parseEvent(text, 7)).toThrow(message)
  })

  it.each([
    ['{}', 'line 1, field "format": is missing'],
    ['{"format":"memshim-trace/9"}', 'a newer trace format'],
    ['{"format":"jsonl"}', 'not a trace'],
    ['{"format":"memshim-trace/1","library":"aiomcache"}', 'field "library": "aiomcache" is not known'],
    ['{"format":"memshim-trace/1","library":"pylibmc","version":"1.6.3","servers":0}', 'field "servers": 0'],
    ['{"format":"memshim-trace/1","library":"pylibmc","servers":1}', 'field "version": is missing'],
  ])('refuses the header %s', (text, message) => {
    expect(() => parseHeader(text)).toThrow(message)
  })
})

describe('trace files', () => {
  const text = `${[header, ...lines].join('\n')}\n`

  it('reads plain and gzip by content, any number of times', async () => {
    const plain = await all(file('a.jsonl', text))
    expect(plain).toHaveLength(5)
    expect(await all(file('renamed.jsonl', gzipSync(text)))).toEqual(plain)
    const trace = await readTrace(join(folder, 'a.jsonl'))
    for (let i = 0; i < 2; i++) {
      let n = 0
      for await (const _ of trace.events()) n++
      expect(n).toBe(5)
    }
  })

  it('accepts CRLF and blank lines, and counts them', async () => {
    const events = await all(file('crlf.jsonl', `${header}\r\n\r\n${lines[1]}\r\n`))
    expect(events).toMatchObject([{ line: 3 }])
  })

  it('a line ends at LF only: JSON text may hold other separators, cut anywhere by the file system', async () => {
    const value = `a\u2028b\u0085é😀`.repeat(20_000)
    const events = await all(
      file('long.jsonl', `${header}\n${JSON.stringify({ t: 0, client: 'c', call: 'get', args: [value] })}`),
    )
    expect(events).toMatchObject([{ args: [value] }])
  })

  it.each(['plain', 'gzip'])(
    'a line of 64 million characters is refused before it is read, %s',
    async (kind) => {
      const start = Buffer.from(`${header}\n{"t":0,"client":"c","call":"get","args":["`)
      const endless = Buffer.concat([start, Buffer.alloc(64_000_000, 'x')])
      const path = file(`endless-${kind}.jsonl`, kind === 'gzip' ? gzipSync(endless, { level: 1 }) : endless)
      await expect(all(path)).rejects.toThrow('line 2: is longer than 16777216 bytes')
      rmSync(path)
    },
  )

  it('bytes that are not UTF-8 are an error, and never another key', async () => {
    const line = Buffer.from('{"t":0,"client":"c","call":"get","args":["k\xe4y"]}', 'latin1')
    await expect(
      all(file('latin1.jsonl', Buffer.concat([Buffer.from(`${header}\n`), line]))),
    ).rejects.toThrow('latin1.jsonl, line 2: is not UTF-8: byte 44 of the line is not part of a character')
  })

  it('writes what it reads', async () => {
    const source = await readTrace(file('b.jsonl', text))
    for (const name of ['copy.jsonl', 'copy.jsonl.gz']) {
      await writeTrace(join(folder, name), source)
      expect(await all(join(folder, name))).toEqual(await all(join(folder, 'b.jsonl')))
    }
  })

  it('says which file and line is wrong', async () => {
    await expect(all(file('late.jsonl', `${header}\n${lines[4]}\n${lines[0]}\n`))).rejects.toThrow(
      'late.jsonl, line 3, field "t": 0 is earlier than the time of the line before (1.5)',
    )
    await expect(readTrace(file('empty.jsonl', ''))).rejects.toThrow('empty.jsonl: is empty')
    await expect(readTrace(join(folder, 'none.jsonl'))).rejects.toThrow('there is no such file')
    await expect(readTrace(folder)).rejects.toThrow('cannot be read')
  })

  it('a last line that was cut is left out with a note, also in a gzip file without its end', async () => {
    const text = [header, ...Array.from({ length: 5000 }, () => lines[1])].join('\n')
    const zipped = gzipSync(`${text}\n`)
    for (const [name, content] of [
      ['cut.gz', zipped.subarray(0, zipped.length - 200)],
      ['cut.jsonl', text.slice(0, -20)],
    ] as const) {
      const events = await all(file(name, content))
      expect(events.at(-1)).toMatchObject({
        kind: 'note',
        text: expect.stringContaining('last line is incomplete'),
      })
      expect(events.slice(0, -1).every((event) => event.kind === 'call')).toBe(true)
      expect(events.length).toBeGreaterThan(4000)
    }
  })

  it('a whole line that is not JSON is an error, wherever it is', async () => {
    await expect(all(file('torn.jsonl', `${header}\n{"t":0\n`))).rejects.toThrow(
      'torn.jsonl, line 2: is not JSON',
    )
  })
})
