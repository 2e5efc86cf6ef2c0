/** Packets that tcpdump captured from the real libraries, recorded by us, against the tracer's trace of the same run. */
import { createReadStream, readFileSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CallEvent, readTrace, type Trace } from '../../../src/audit/index.js'
import { callOfWire } from '../../../src/audit/traces/wire/wire.js'
import { recordPackets } from '../../../src/record/index.js'
import { fromTypedJson, type TypedJson, toTypedJson } from '../../../src/values/index.js'

const folder = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'captures')
const { captures } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as {
  readonly captures: readonly {
    readonly name: string
    readonly library: string
    readonly servers: readonly string[]
    readonly traced: boolean
  }[]
}

let scratch: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'memshim-captures-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

const portsOf = (servers: readonly string[]) => servers.map((server) => Number(server.split(':')[1]))

/** What a key went through: the verb, what was stored, what came of it. */
type History = Map<string, string[]>

function text(value: TypedJson): string {
  return JSON.stringify(toTypedJson(fromTypedJson(value)))
}

function add(history: History, key: TypedJson, step: string): void {
  const name = text(key)
  history.set(name, [...(history.get(name) ?? []), step])
}

const stores = new Set(['set', 'add', 'replace'])

/** One call, split into what it does to each key. A call without a known outcome says so. */
function note(history: History, { call, args, outcome }: CallEvent): void {
  const [first, second] = args
  const result = outcome && 'result' in outcome ? outcome.result : undefined
  const found = (key: TypedJson) => {
    const whole = result === undefined ? undefined : fromTypedJson(result)
    const name = fromTypedJson(key)
    const item = whole instanceof Map ? whole.get(name) : (whole as Record<string, unknown>)?.[name as string]
    return text(item === undefined ? null : toTypedJson(item))
  }
  if (call === 'get_multi')
    for (const key of new Set((first as TypedJson[]).map(text)))
      add(history, JSON.parse(key), `get ${found(JSON.parse(key))}`)
  else if (call === 'set_multi')
    for (const [key, value] of Object.entries(first as Record<string, TypedJson>))
      add(history, key, `set ${text(value)}`)
  else if (call === 'delete_multi') for (const key of first as TypedJson[]) add(history, key, 'delete')
  else if (call === 'get') add(history, first!, `get ${text(result ?? null)}`)
  // Text and bytes are the same here: these two commands have no flags in the binary protocol.
  else if (call === 'append' || call === 'prepend') add(history, first!, call)
  else if (stores.has(call)) add(history, first!, `${call} ${text(second!)}`)
  else if (call === 'incr' || call === 'decr') add(history, first!, `${call} ${text(second ?? 1)}`)
  else add(history, first!, call)
}

async function historyOf(trace: Trace): Promise<History> {
  const history: History = new Map()
  const library = { name: trace.header.library, version: trace.header.version }
  for await (const event of trace.events()) {
    if (event.kind === 'call') note(history, event)
    if (event.kind === 'wire') {
      const call = callOfWire(event, library)
      if ('skipped' in call) throw new Error(`line ${event.line}: ${call.skipped}`)
      note(history, call)
    }
  }
  return history
}

describe('a capture of tcpdump', () => {
  it.each(captures)('$name: nothing is lost, and every file is private', async ({ name, servers }) => {
    const out = join(scratch, `${name}.jsonl.gz`)
    const stream = createReadStream(join(folder, `${name}.pcap.gz`))
    const summary = await recordPackets([{ name, stream }], { out, ports: portsOf(servers) })
    expect(summary.losses).toEqual({})
    expect(summary.written).toBeGreaterThan(150)
    expect((await stat(out)).mode & 0o777).toBe(0o600)
    expect([...summary.servers].sort()).toEqual([...servers].sort())
  })

  it.each(captures.filter(({ traced }) => traced))(
    '$name: the wire trace says what the tracer saw, key by key',
    async ({ name, servers, library }) => {
      const traced = await readTrace(join(folder, `${name}.trace.jsonl.gz`))
      const out = join(scratch, `${name}.jsonl`)
      const stream = createReadStream(join(folder, `${name}.pcap.gz`))
      const recorded = traced.header.library as 'python-memcached' | 'pylibmc'
      const settings = { library: { name: recorded, version: traced.header.version } }
      await recordPackets([{ name, stream }], { out, servers, ...settings })
      const [wire, calls] = [await historyOf(await readTrace(out)), await historyOf(traced)]
      // Up to 1.58 text and bytes are stored alike, and so are 1 and True: a capture cannot tell them apart.
      if (library === 'python-memcached-1.58')
        for (const [key, steps] of calls)
          calls.set(
            key,
            steps.map((step) =>
              step.replace(/\{"\$bytes":("(?:[^"\\]|\\.)*")\}/g, '$1').replace(/^set true$/, 'set 1'),
            ),
          )
      // python-memcached sends no value that is too large, which no capture can see.
      if (library.startsWith('python-memcached'))
        for (const [key, steps] of calls)
          calls.set(
            key,
            steps.filter((step) => !step.startsWith('set {"$repeat":["h"')),
          )
      expect([...wire.keys()].sort()).toEqual([...calls.keys()].sort())
      for (const [key, steps] of calls) expect([key, wire.get(key)]).toEqual([key, steps])
    },
  )
})
