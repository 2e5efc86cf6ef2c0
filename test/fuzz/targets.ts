/** Every parser and reader, and what must hold for any input: a result, or an error that was made for it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { deflateSync, gzipSync } from 'node:zlib'
import { Command } from 'commander'
import { AuditOptionsError, scenarioTrace, TraceError } from '../../src/audit/index.js'
import { parseEvent, parseHeader } from '../../src/audit/traces/parse.js'
import { callOfWire } from '../../src/audit/traces/wire/wire.js'
import {
  Conversation as CapturedConversation,
  CaptureError,
  Connections,
  PacketFile,
  segmentOf,
  watchEvent,
} from '../../src/capture/index.js'
import { planCommand } from '../../src/cli/commands/plan.js'
import { scanCommand } from '../../src/cli/commands/scan.js'
import { whereCommand } from '../../src/cli/commands/where.js'
import { configured } from '../../src/cli/config.js'
import { keysIn } from '../../src/cli/keys-file.js'
import { UsageError } from '../../src/cli/usage.js'
import { Client as CompatClient } from '../../src/compat/index.js'
import {
  celeryError,
  readBeaker,
  readCeleryMeta,
  readDjangoPage,
  readDogpile,
  readFlaskSession,
} from '../../src/frameworks/index.js'
import { binaryProtocol } from '../../src/protocol/binary/binary.js'
import { ListingError, MetadumpReader } from '../../src/protocol/metadump.js'
import {
  AuthenticationFailure,
  type Conversation,
  type Protocol,
  UnintelligibleReply,
} from '../../src/protocol/protocol.js'
import { retrieval } from '../../src/protocol/requests.js'
import { textProtocol } from '../../src/protocol/text/text.js'
import { command, pymemcacheProtocol } from '../../src/pymemcache/conversation.js'
import * as pymemcache from '../../src/pymemcache/index.js'
import { FetchReading, LinesReading, StatsReading } from '../../src/pymemcache/readings.js'
import { pythonClass } from '../../src/python/errors.js'
import { listedItems } from '../../src/scan/listing-file.js'
import { RequestFraming } from '../../src/server/commands/framing.js'
import { respond } from '../../src/server/commands/respond.js'
import { FaultError, parseFault } from '../../src/server/fault.js'
import { Store } from '../../src/server/store/store.js'
import { serverFacts } from '../../src/server/versions.js'
import { Client as StrictClient } from '../../src/strict/index.js'
import {
  describe,
  disassembly,
  fromTypedJson,
  pylibmcEncoding,
  pymemcacheEncoding,
  pythonMemcachedEncoding,
  toTypedJson,
  unpickle,
} from '../../src/values/index.js'
import type { Random } from '../soak/random.js'
import { samples } from './samples.js'

export interface Target {
  readonly name: string
  readonly samples: () => readonly Buffer[]
  /** Throws for a fault; errors that are expected are swallowed. */
  readonly run: (input: Buffer, random: Random) => void | Promise<void>
}

/** Runs it; whether the error is one that the input deserves is `expected`'s to say. */
function guarded(run: () => void, expected: (error: Error) => boolean): void {
  try {
    run()
  } catch (error) {
    if (!(error instanceof Error) || isInternal(error) || !expected(error)) throw error
  }
}

/** What JavaScript says when code did not foresee a value. */
function isInternal(error: Error): boolean {
  return /Maximum call stack|Cannot read propert|is not a function$|is not iterable|Invalid array length|Invalid string length|undefined \(reading/.test(
    error.message,
  )
}

const python = (error: Error) => pythonClass(error) !== undefined

interface Heard {
  readonly replies: string
  readonly error: string | undefined
}

function converse(protocol: Protocol, input: Buffer, cuts: readonly number[]): Heard {
  const replies: unknown[] = []
  const sink = { reply: (reply: unknown) => void replies.push(reply), ready: () => undefined }
  const conversation: Conversation = protocol.converse(sink, { maxLine: 2048, maxData: 100_000 })
  const requests = [
    retrieval('get', ['k']),
    retrieval('gets', ['k', 'a']),
    { kind: 'stats' as const, stats: '' },
    retrieval('get', ['a', 'b', 'k']),
  ]
  conversation.write(requests.map((request) => ({ request })) as never, { text() {}, data() {} })
  let error: string | undefined
  try {
    let from = 0
    for (const cut of [...cuts, input.length]) {
      const chunk = Buffer.from(input.subarray(from, cut))
      conversation.push(chunk)
      // A parser must not keep views of what it was given.
      chunk.fill(0x21)
      from = cut
    }
  } catch (problem) {
    if (!(problem instanceof UnintelligibleReply || problem instanceof AuthenticationFailure)) throw problem
    error = problem.name
  }
  const text = JSON.stringify(replies, (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
  return { replies: text, error }
}

/** The same bytes in other pieces give the same replies. */
function atEverySplit(protocol: Protocol, input: Buffer, random: Random): void {
  const short = input.subarray(0, 4000)
  const cuts = Array.from({ length: random.below(6) }, () => random.below(short.length + 1)).sort(
    (a, b) => a - b,
  )
  const whole = converse(protocol, short, [])
  const split = converse(protocol, short, cuts)
  if (whole.error !== split.error || (whole.error === undefined && whole.replies !== split.replies))
    throw new Error(`cut at ${cuts.join(', ')}: ${JSON.stringify(split)} instead of ${JSON.stringify(whole)}`)
}

function decodeJson(input: Buffer): unknown {
  try {
    return JSON.parse(input.toString('utf8'))
  } catch {
    return undefined
  }
}

/** Settings and listings are read from files. */
const file = join(mkdtempSync(join(tmpdir(), 'memshim-fuzz-')), 'input')
process.on('exit', () => rmSync(dirname(file), { recursive: true, force: true }))

async function withFile(input: Buffer, run: (path: string) => Promise<void>): Promise<void> {
  writeFileSync(file, input)
  await run(file)
}

const settingsProgram = new Command('memshim')
  .addCommand(whereCommand())
  .addCommand(planCommand())
  .addCommand(scanCommand())

/** A result, or an error of the class that is made for such input. */
async function deserved(result: Promise<unknown>, expected: new (...args: never[]) => Error): Promise<void> {
  try {
    await result
  } catch (error) {
    if (!(error instanceof expected) || isInternal(error)) throw error
  }
}

async function itemsIn(path: string): Promise<void> {
  for await (const _ of listedItems(path));
}

const flags = [0, 1, 2, 4, 8, 9, 16, 17, 24, 31, 2 ** 31]

export const targets: readonly Target[] = [
  {
    name: 'text replies',
    samples: () => samples.text().map(({ receive }) => receive),
    run: (input, random) => atEverySplit(textProtocol, input, random),
  },
  {
    name: 'binary replies',
    samples: () => samples.binary().map(({ receive }) => receive),
    run: (input, random) => atEverySplit(binaryProtocol(), input, random),
  },
  {
    name: 'pickles',
    samples: samples.pickles,
    run: (input, random) => {
      const preserve = random.below(2) === 1
      const encoding = random.of(['ascii', 'latin1', 'utf8', 'bytes'] as const)
      guarded(() => {
        const value = unpickle(input, { preserve, encoding })
        describe(value, 500)
        toTypedJson(value)
      }, python)
      guarded(() => {
        let lines = 0
        for (const _ of disassembly(input, 80)) if (++lines > 5000) break
      }, python)
    },
  },
  {
    name: 'stored values',
    samples: () => samples.pickles().map((bytes) => deflateSync(bytes)),
    run: (input, random) => {
      const flag = random.of(flags)
      const encodings = [
        pylibmcEncoding(),
        pythonMemcachedEncoding({ version: '1.59' }),
        pymemcacheEncoding({ serde: 'pickle' }),
        pymemcacheEncoding({ serde: 'compressed' }),
      ]
      for (const encoding of encodings) guarded(() => void encoding.decode(flag, input), python)
    },
  },
  {
    name: 'items of frameworks',
    samples: () => [
      ...samples.pickles(),
      ...[
        '{"status":"SUCCESS","result":{"a":[1]},"traceback":null,"children":[],"date_done":"2024-01-01T00:00:00","task_id":"x"}',
        '{"status":"FAILURE","result":{"exc_type":"ValueError","exc_message":["x"],"exc_module":"builtins"},"task_id":"x"}',
        '{"_permanent":true,"user":{" t":[1,2]},"d":{" d":"Mon, 01 Jan 2024 00:00:00 GMT"}}',
      ].map((text) => Buffer.from(text)),
    ],
    run: (input) => {
      guarded(() => void readFlaskSession(input), python)
      guarded(() => {
        const meta = readCeleryMeta(input)
        if (meta) celeryError(meta)
      }, python)
      guarded(() => {
        const value = unpickle(input, { preserve: true })
        readBeaker(value)
        readDogpile(value)
        readDjangoPage(value)
      }, python)
    },
  },
  {
    name: 'trace lines',
    samples: samples.traceLines,
    run: (input) => {
      const text = input.toString('utf8')
      const known = (error: Error) => error instanceof TraceError
      guarded(() => void parseHeader(text, 'fuzz'), known)
      guarded(() => {
        const event = parseEvent(text, 2, 'fuzz')
        if (event.kind === 'wire') callOfWire(event, { name: 'python-memcached', version: '1.59' })
        if (event.kind === 'call') guarded(() => void toTypedJson(event.args.map(fromTypedJson)), python)
      }, known)
    },
  },
  {
    name: 'scenarios',
    samples: samples.scenarios,
    run: (input) =>
      guarded(
        () => void scenarioTrace(decodeJson(input), 'fuzz', 'python-memcached', '1.59').events(),
        (error) => error instanceof TraceError,
      ),
  },
  {
    name: 'typed JSON',
    samples: () => samples.scenarios().concat(samples.traceLines()),
    run: (input) => {
      const json = decodeJson(input)
      guarded(() => {
        const value = fromTypedJson(json as never)
        const written = JSON.stringify(toTypedJson(value))
        const again = JSON.stringify(toTypedJson(fromTypedJson(JSON.parse(written))))
        if (again !== written && !written.includes('$pickle'))
          throw new Error(`${written.slice(0, 300)} is read as ${again.slice(0, 300)}`)
      }, python)
      if (typeof json === 'object' && json !== null)
        guarded(
          () => void parseFault(json),
          (error) => error instanceof FaultError,
        )
    },
  },
  {
    name: 'server specs',
    samples: () =>
      [
        'a:11211:3',
        '[::1]:11211:2',
        '/tmp/memcached.sock',
        'udp:h:1',
        'inet6:[::1]:1',
        'inet:h:1',
        'unix:/x',
        'h',
      ].map((text) => Buffer.from(text)),
    run: (input, random) => {
      const text = input.toString('utf8')
      const weight = random.of([1, 0, -1, 1e9, 2 ** 53, Number.NaN])
      guarded(() => new StrictClient([text]).disconnectAll(), python)
      guarded(() => new StrictClient([[random.below(8), text, weight]]).disconnectAll(), python)
      guarded(() => new CompatClient([text]).disconnectAll(), python)
      guarded(() => new CompatClient([[text, weight]]).disconnectAll(), python)
    },
  },
  {
    name: 'behaviors',
    samples: () =>
      [
        '{"hash":"md5","ketama":1}', '{"distribution":"consistent","num_replicas":3}', '{"namespace":"a:","cas":1}',
        '{"failure_limit":1,"_poll_timeout":5}', '{"hash":"toString"}', '{"__proto__":1}', '{"ketama_hash":"crc"}',
      ].map((text) => Buffer.from(text)), // biome-ignore format: one list
    run: (input) => {
      const behaviors = decodeJson(input) as never
      if (behaviors === undefined) return
      guarded(() => new StrictClient(['127.0.0.1:1', '127.0.0.1:2'], { behaviors }).disconnectAll(), python)
    },
  },
  {
    name: 'command line',
    samples: () =>
      [
        'k\nl\n--servers\na:1,b:2:3',
        '--servers\n[::1]:1\nk\n--json',
        '--from\npylibmc\n--to\npymemcache\n--servers\na\nk',
      ].map((text) => Buffer.from(text)),
    run: async (input) => {
      const command = whereCommand()
        .exitOverride()
        .configureOutput({ writeErr() {}, writeOut() {} })
      const { write } = process.stdout
      process.stdout.write = () => true
      try {
        const args = input
          .toString('utf8')
          .split('\n')
          .filter((word) => !/^(-k|--k)/.test(word) && word !== '-')
        await command.parseAsync(args, { from: 'user' })
      } catch (error) {
        const known = error instanceof UsageError || error instanceof AuditOptionsError
        if (
          !known &&
          (error as Error).name !== 'CommanderError' &&
          (error as Error).name !== 'InvalidArgumentError' &&
          !python(error as Error)
        )
          throw error
      } finally {
        process.stdout.write = write
      }
    },
  },
  {
    name: 'settings of the command line',
    samples: () =>
      [
        '{"servers":["10.0.0.1:11211"],"scan":{"rate":20000},"audit":{"to":"all","html":"x.html"}}', '{"plan":{"from":"pylibmc","to":["a","b"]},"no-config":true}',
        '{"json":true,"where":{"servers":"a:1","json":false}}', '{"__proto__":{"servers":["a"]},"constructor":1}', '{"scan":{"toString":1,"servers":[null,1e9,{}]}}',
      ].map((text) => Buffer.from(text)), // biome-ignore format: one list
    run: (input, random) =>
      withFile(input, async (path) => {
        const command = random.of([
          'where',
          'audit',
          'plan',
          'scan',
          'inspect',
          'doctor',
          'record',
          'completion',
        ])
        await deserved(configured(settingsProgram, ['--config', path, command, 'k'], {}), UsageError)
      }),
  },
  {
    name: 'files of keys and listings',
    samples: () => {
      const plain = [
        'key=a%20b exp=-1 la=1700000000 cas=1 fetch=no cls=1 size=70\nkey=%ff exp=5 la=1 cas=9 fetch=no cls=1 size=1\nEND\n',
        'user:1\r\nuser:2\n\xff\n', 'OK\nkey=a exp=-1 la=1\nEN\n',
      ].map((text) => Buffer.from(text, 'latin1')) // biome-ignore format: one list
      return [...plain, ...plain.map((text) => gzipSync(text))]
    },
    run: (input) =>
      withFile(input, async (path) => {
        await deserved(keysIn(path), UsageError)
        await deserved(itemsIn(path), ListingError)
      }),
  },
  {
    name: 'pymemcache replies',
    samples: () => samples.text().map(({ receive }) => receive),
    run: (input, random) => readPymemcache(input, random),
  },
  {
    name: 'pymemcache options',
    samples: () =>
      [
        '["127.0.0.1:11211",{"timeout":1,"encoding":"ascii"}]', '["[::1]:11211",{"keyPrefix":"a:","defaultNoreply":false}]',
        '[["h",11211],{"connectTimeout":null,"noDelay":true}]', '["unix:/x",{"allowUnicodeKeys":true}]', '["h",{"__proto__":1,"toString":2}]',
        '[["a:1","b:2"],{"retryAttempts":1,"deadTimeout":5,"usePooling":true,"maxPoolSize":2}]',
      ].map((text) => Buffer.from(text)), // biome-ignore format: one list
    run: (input) => {
      const given = decodeJson(input)
      if (!Array.isArray(given)) return
      const [server, options] = given as [never, never]
      guarded(() => new pymemcache.Client(server, options).close(), python)
      guarded(() => new pymemcache.PooledClient(server, options).close(), python)
      guarded(() => new pymemcache.HashClient(server, options).close(), python)
    },
  },
  {
    name: 'listings of keys',
    samples: () =>
      [
        'key=a%20b exp=-1 la=1700000000 cas=1 fetch=no cls=1 size=70\nkey=b exp=1700000000 la=1 cas=2 fetch=yes cls=2 size=90\nEND\r\n',
        'OK\r\nkey=a exp=-1 la=1700000000 cas=1 fetch=no cls=1 size=70 flags=16 \nkey=%ff exp=5 la=1 cas=9 fetch=no cls=1 size=1 flags=0 \nEN\r\n',
        'key=a exp=-1 la=1\r\nEND\r\n', 'BUSY currently processing crawler request\r\n', 'ERROR\r\n',
      ].map((text) => Buffer.from(text)), // biome-ignore format: one list
    run: (input, random) => alike((cuts) => readListing(input, cuts), input, random),
  },
  {
    name: 'captures',
    samples: samples.captures,
    run: readCapture,
  },
  {
    name: 'captured connections',
    samples: () =>
      [...samples.text(), ...samples.binary()].map(({ send, receive }) => Buffer.concat([send, receive])),
    run: (input, random) => {
      const sink = captured()
      const [first, second] = [random.below(input.length + 1), random.below(input.length + 1)]
      sink.request(input.subarray(0, first), 1)
      sink.reply(input.subarray(second), 1.001)
      if (random.below(3) === 0)
        sink.gap(random.of(['request', 'reply'] as const), 1 + random.below(2 ** 31), 1.002)
      sink.request(input.subarray(first), 1.003)
      sink.reply(input.subarray(0, second), 1.004)
      sink.end(2)
    },
  },
  {
    name: 'watch log',
    samples: () =>
      [
        'ts=1700000000.123456 gid=1 type=item_get key=a%20b status=found clsid=1 cfd=30 size=5',
        'ts=1700000000.2 gid=2 type=item_store key=k status=stored cmd=set ttl=60 clsid=1 cfd=31 size=10',
        'ts=1700000001.3 gid=3 type=deleted key=k cmd=delete clsid=1 cfd=31 size=10', 'ts=1.2 gid=4 type=skipped skipped=17',
      ].map((text) => Buffer.from(text)), // biome-ignore format: one list
    run: (input) => {
      for (const line of input.toString('latin1').split('\n')) watchEvent(line)
    },
  },
  {
    name: 'embedded server',
    samples: () => [...samples.text(), ...samples.binary()].map(({ send }) => send),
    run: (input, random) => {
      const cut = random.below(input.length + 1)
      serve(input, [])
      serve(input, [cut])
    },
  },
]

/** What was chunked otherwise must have been read alike. */
function alike(read: (cuts: readonly number[]) => string, input: Buffer, random: Random): void {
  const cuts = Array.from({ length: random.below(6) }, () => random.below(input.length + 1)).sort(
    (a, b) => a - b,
  )
  const [whole, split] = [read([]), read(cuts)]
  if (whole !== split)
    throw new Error(`cut at ${cuts.join(', ')}: ${split.slice(0, 500)} instead of ${whole.slice(0, 500)}`)
}

function pieces(input: Buffer, cuts: readonly number[]): Buffer[] {
  return [...cuts, input.length].map((cut, index) => Buffer.from(input.subarray(cuts[index - 1] ?? 0, cut)))
}

/** The error that ended it, where it is one of these classes. */
function outcomeOf(run: () => void, ...expected: (new (...args: never[]) => Error)[]): string {
  try {
    run()
    return ''
  } catch (error) {
    if (!(error instanceof Error) || isInternal(error) || !expected.some((each) => error instanceof each))
      throw error
    return error.name
  }
}

function readListing(input: Buffer, cuts: readonly number[]): string {
  const items: unknown[] = []
  const reader = new MetadumpReader('fuzz', (item) => items.push(item))
  const error = outcomeOf(() => {
    for (const piece of pieces(input, cuts)) reader.push(piece)
  }, ListingError)
  // What came before the error depends on where the chunks end.
  return error === '' ? JSON.stringify(items) : ''
}

/** One connection of a capture, whose commands nobody takes. */
function captured(whole = true): CapturedConversation {
  const counts = { exchanges: 0, restarts: 0, passedBytes: 0, strayBytes: 0, unknownReplies: 0, endless: 0 }
  return new CapturedConversation(
    whole,
    counts,
    () => undefined,
    () => undefined,
  )
}

function readCapture(input: Buffer): void {
  const connections = new Connections({
    isServer: ({ port }) => port < 20_000,
    open: (_client, _server, whole) => captured(whole),
  })
  outcomeOf(() => {
    const file = new PacketFile('fuzz', (packet) => {
      const segment = segmentOf(packet)
      if (typeof segment === 'object') connections.segment(segment)
    })
    for (const piece of pieces(input, [Math.floor(input.length / 3), Math.floor(input.length / 2)]))
      file.push(piece)
    file.end()
  }, CaptureError)
  connections.end(2e9)
}

/** Where a chunk ends matters here, as it does to pymemcache. */
function readPymemcache(input: Buffer, random: Random): void {
  const conversation = pymemcacheProtocol.converse(
    { reply: () => undefined, ready: () => undefined },
    { maxLine: 2048, maxData: 100_000 },
  )
  const readings = [
    new FetchReading('get', ['k', 'a'], false, () => undefined),
    new LinesReading('set', 1),
    new StatsReading(),
    new FetchReading('gets', ['k'], true, () => undefined),
  ]
  conversation.write(
    readings.map((reading) => ({ request: command(['get k\r\n'], reading) })),
    { text() {}, data() {} },
  )
  for (const piece of pieces(input, [random.below(input.length + 1)])) conversation.push(piece)
  for (const { failure } of readings)
    if (failure !== undefined)
      guarded(() => {
        throw failure
      }, python)
}

function serve(input: Buffer, cuts: readonly number[]): void {
  const facts = serverFacts('1.6.18')
  const store = new Store({ clock: () => 1e9, evict: true, memory: 2 ** 20, facts })
  const framing = new RequestFraming(2 ** 20)
  let from = 0
  for (const cut of [...cuts, input.length]) {
    for (const frame of framing.push(Buffer.from(input.subarray(from, cut))))
      respond(store, frame, { connections: 1, host: '127.0.0.1', port: 11211, evict: true, facts })
    from = cut
  }
}
