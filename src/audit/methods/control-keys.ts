/**
 * pylibmc's outcomes for keys with control characters over the text protocol: it sends them unchecked. The server stores most of
 * them like any other key, but libmemcached cannot read the reply that has one. NUL and line feed end the command in the middle of the key. Our client refuses
 * these keys, so their outcome is computed here; the items have other names on the replay's server.
 * Source: docs/reference/pylibmc.md#3.4; measured on pylibmc 1.6.3 with memcached 1.6.18 (`fixtures/vectors/calling-forms-odd-keys.json.gz`).
 */
import type { Bytes } from '../../ground/bytes.js'
import { MAX_KEY_LENGTH } from '../../ground/limits.js'
import { pylibmcKey } from '../../pipeline/keys.js'
import { PIPELINE, Pipeline, pipelineOf } from '../../pipeline/pipeline.js'
import type { Client as StrictClient } from '../../strict/index.js'
import { toTypedJson } from '../../values/index.js'
import { type Outcome, raised, returned } from '../compare/outcome.js'
import { blankKeyOutcome } from './blank-keys.js'
import { invokeBound } from './calls.js'
import { itemsOf } from './conversions.js'
import { type ReadItem, readOne, replyOf, type SentItem } from './libmemcached-reader.js'
import { refusedData, type UncheckedKeyOutcome, type Waiting } from './out-of-step.js'
import type { Bound, Library } from './python-signatures.js'
import { keyBytes } from './touched-keys.js'

const CONTROL = /[\x00-\x1f\x7f]/
/** The characters that end a command, or the server's reading of it. */
const CUT = /\r?\n|\0/
const COMMANDS =
  /^(?:get|gets|gat|gats|set|add|replace|append|prepend|cas|delete|incr|decr|touch|stats|flush_all|version|verbosity|quit|shutdown|m[gsdanem]) ?/

const timedOut: Outcome = {
  raises: { class: 'pylibmc.Error', message: 'A TIMEOUT OCCURRED' },
}
const dies: Outcome = {
  raises: { class: 'process.abort', message: 'more replies than keys: the process ends' },
}
const refusedLine: Outcome = {
  raises: { class: 'pylibmc.SocketCreateError', retcode: 11, message: 'ERROR' },
}

/**
 * The outcome of a call in which a key, prefix included, holds a control character; undefined for any other call.
 * @param bound the call's arguments as pylibmc understands them
 */
export async function controlKeyOutcome(
  client: StrictClient,
  library: Library,
  call: string,
  bound: Bound,
): Promise<UncheckedKeyOutcome | undefined> {
  const prefix = bound.key_prefix === undefined ? '' : keyBytes(bound.key_prefix)
  const keys = 'key' in bound ? [bound.key] : itemsOf(bound.keys)
  if (!keys?.every((key) => typeof key === 'string' || key instanceof Uint8Array)) return undefined
  const full = keys.map((key) => prefix + keyBytes(key))
  if (!full.some((key) => CONTROL.test(key)) || full.some((key) => key.length > MAX_KEY_LENGTH))
    return undefined
  const twin = aliased(client)
  const run = (other: Bound) => invokeBound(twin, library, call, other)
  const asked = new Asked(client, twin, call, keys as readonly (string | Uint8Array)[], full, prefix)
  const cut = full.findIndex((key) => CUT.test(key))
  const blank = full.some((key) => CONTROL.test(key) && key.includes(' '))
  const broken = prefix !== '' && full.some((key) => key.includes('\0'))
  const injected = full.some((key) => COMMANDS.test(key.split('\n')[1] ?? ''))
  if (blank || broken || injected) {
    // The words of a key with blanks are arguments, also if it has control characters.
    const words = blank ? await blankKeyOutcome(twin, call, bound, run) : undefined
    const outcome = words?.outcome ?? (await run(bound))
    return { outcome, outOfStep: asked.servers('unknown'), uncertain: true }
  }
  if (call === 'get' || call === 'gets' || call === 'get_multi') return asked.retrieved(bound)
  if (cut === -1) return { outcome: await run(bound), outOfStep: [] }
  return stopsAt(bound, cut, asked, run)
}

/**
 * get_multi with a prefix and NUL in one of its keys, over either protocol: pylibmc requests keys of the right length whose end is arbitrary
 * memory, and finds none of them. Undefined for any other call.
 */
export async function brokenPrefixOutcome(
  call: string,
  bound: Bound,
  again: (bound: Bound) => Promise<Outcome>,
): Promise<Outcome | undefined> {
  if (call !== 'get_multi' || bound.key_prefix === undefined) return undefined
  const prefix = keyBytes(bound.key_prefix)
  const keys = itemsOf(bound.keys)
  const broken = (key: unknown) => (prefix + keyBytes(key)).includes('\0')
  if (prefix === '' || !keys?.some(broken)) return undefined
  return again({ ...bound, keys: keys.filter((key) => !broken(key)) })
}

/** A call that writes, with a key that ends its command: the keys before it are done. */
async function stopsAt(
  bound: Bound,
  cut: number,
  asked: Asked,
  run: (bound: Bound) => Promise<Outcome>,
): Promise<UncheckedKeyOutcome> {
  const { call, keys, full } = asked
  if (call === 'cas' && isTooLong(bound.cas))
    return { outcome: { raises: { class: 'pylibmc.AllocationError', retcode: 17 } }, outOfStep: [] }
  const lines = full[cut]!.includes('\n')
  const server = asked.serverOf(full[cut]!)
  const behind: UncheckedKeyOutcome['outOfStep'] = lines ? [[server, 'unknown']] : []
  const word = wordOf(full[cut]!)
  if (call === 'delete' || call === 'delete_multi') {
    if (cut > 0) await run({ ...bound, keys: keys.slice(0, cut) })
    if (word === '') return { outcome: refusedLine, outOfStep: behind }
    const outcome = await asked.deleted(word, server)
    if (call === 'delete' || lines) return { outcome, outOfStep: behind, uncertain: call !== 'delete' }
    const rest = await run({ ...bound, keys: keys.slice(cut + 1) })
    const all = 'result' in outcome && outcome.result === true
    return { outcome: all || 'raises' in rest ? rest : { result: false }, outOfStep: behind }
  }
  if (call === 'touch' || call === 'incr' || call === 'decr')
    return { outcome: refusedLine, outOfStep: behind }
  if (bound.keys instanceof Map && cut > 0) {
    const outcome = await run({ ...bound, keys: new Map([...bound.keys].slice(0, cut)) })
    if ('raises' in outcome) return { outcome, outOfStep: [] }
  }
  // The data block is a line that the server does not know either.
  const value = bound.keys instanceof Map ? [...bound.keys.values()][cut] : bound.val
  return { outcome: refusedLine, outOfStep: [[server, lines ? 'unknown' : refusedData(value)]] }
}

/** The keys of one call, with their items on the servers. */
class Asked {
  constructor(
    private readonly client: StrictClient,
    private readonly twin: StrictClient,
    readonly call: string,
    readonly keys: readonly (string | Uint8Array)[],
    /** With the prefix, one character per byte. */
    readonly full: readonly Bytes[],
    private readonly prefix: Bytes,
  ) {}

  serverOf(key: Bytes): number {
    return this.client.hash(Buffer.from(key, 'latin1'))
  }

  servers(waiting: Waiting): UncheckedKeyOutcome['outOfStep'] {
    return [...new Set(this.full.map((key) => this.serverOf(key)))].map(
      (server) => [server, waiting] as const,
    )
  }

  async retrieved(bound: Bound): Promise<UncheckedKeyOutcome> {
    const groups = new Map<number, Bytes[]>()
    for (const key of this.full) {
      if (key === '') continue
      const server = this.serverOf(key)
      groups.set(server, [...(groups.get(server) ?? []), key])
    }
    const withCas = this.client.behaviors.cas === 1
    if (this.call === 'gets' && !withCas) return { outcome: await invokeGets(this.client), outOfStep: [] }
    const items: ReadItem[] = []
    const outOfStep: [number, Waiting][] = []
    const closed: number[] = []
    let waits = false
    for (const [server, keys] of groups) {
      const { words, lines } = readByServer(keys)
      const sent: SentItem[] = []
      for (const word of words) {
        const item = await this.item(word, server)
        if (item) sent.push({ ...item, key: word })
      }
      let stream = replyOf(sent, withCas)
      if (words.length === 0) stream = 'ERROR\r\n'
      if (lines) outOfStep.push([server, 'unknown'])
      for (;;) {
        const read = readOne(stream)
        if (read.kind === 'waits') {
          waits = true
          closed.push(server)
        }
        if (read.kind === 'unknown') closed.push(server)
        if (read.kind === 'number' && this.call === 'get_multi') return { outcome: dies, outOfStep: [] }
        if (read.kind !== 'item') break
        stream = read.rest
        items.push(read.item)
        if (this.call === 'get') {
          const next = readOne(stream)
          if (next.kind === 'unknown') outOfStep.push([server, 'fragment'])
          else if (next.kind !== 'end') outOfStep.push([server, 'unknown'])
          break
        }
      }
    }
    if (this.call === 'get_multi' && items.length > this.keys.length) return { outcome: dies, outOfStep: [] }
    const rest = {
      outOfStep,
      closed,
      uncertain: this.call === 'get_multi' && groups.size > 1 && closed.length > 0,
    }
    const found: { readonly key: Bytes; readonly value: unknown; readonly cas: bigint }[] = []
    try {
      for (const item of items)
        found.push({ ...item, value: pipelineOf(this.twin).slots.decode(item, 'get') })
    } catch (error) {
      return { outcome: raised(error), ...rest }
    }
    const [first] = found
    if (this.call === 'get_multi') return { outcome: this.dict(found), ...rest }
    if (!first && waits) return { outcome: timedOut, ...rest }
    if (this.call === 'get') return { outcome: returned(first ? first.value : bound.default), ...rest }
    if (!first) return { outcome: { result: { $tuple: [null, null] } }, ...rest }
    if (found.length > 1)
      return { outcome: { raises: { class: 'builtins.RuntimeError', message: 'fetch not done' } }, ...rest }
    return { outcome: { result: { $tuple: [toTypedJson(first.value), toTypedJson(first.cas)] } }, ...rest }
  }

  private dict(found: readonly { readonly key: Bytes; readonly value: unknown }[]): Outcome {
    const dict = new Map<unknown, unknown>()
    for (const { key, value } of found) {
      if (key.length < this.prefix.length)
        return { raises: { class: 'builtins.SystemError', message: 'a reply is shorter than the prefix' } }
      const own = key.slice(this.prefix.length)
      const at = this.keys.findIndex((asked) => keyBytes(asked) === own)
      dict.set(at === -1 ? Buffer.from(own, 'latin1') : this.keys[at], value)
    }
    return returned(dict)
  }

  /** The item of a key on the server of another key. */
  private item(key: Bytes, server: number) {
    const { slots } = pipelineOf(this.twin)
    return pipelineOn(this.twin, server).fetch('gets', alias(key), 'gets', slots.modes())
  }

  async deleted(word: Bytes, server: number): Promise<Outcome> {
    const twin = withPipeline(this.twin, pipelineOn(this.twin, server))
    return returned(await twin.delete(Buffer.from(word, 'latin1')))
  }
}

async function invokeGets(client: StrictClient): Promise<Outcome> {
  return client.gets('k').then(
    (pair) => returned(pair),
    (error) => raised(error),
  )
}

/** The words of a retrieval as one server reads them, and whether further lines follow. */
function readByServer(keys: readonly Bytes[]): { readonly words: readonly Bytes[]; readonly lines: boolean } {
  const words: Bytes[] = []
  for (const key of keys) {
    if (!CUT.test(key)) words.push(...key.split(' ').filter((word) => word !== ''))
    else {
      if (wordOf(key) !== '') words.push(wordOf(key))
      return { words, lines: key.includes('\n') }
    }
  }
  return { words, lines: false }
}

/** A key up to where the server stops reading. */
function wordOf(key: Bytes): Bytes {
  return key.split(CUT)[0]!
}

/** A CAS unique of 20 digits does not fit into libmemcached's buffer, which it notices before it sends anything. */
function isTooLong(unique: unknown): boolean {
  return BigInt.asUintN(64, BigInt(unique as bigint)) >= 10n ** 19n
}

/** The name of an item with control characters on the replay's server: bytes that no UTF-8 text contains. */
function alias(key: Bytes): Bytes {
  return key.replace(/[\x00-\x1f]/g, (control) => `\xc0${String.fromCharCode(0xc0 + control.charCodeAt(0))}`)
}

function original(key: Bytes): Bytes {
  return key.replace(/\xc0([\xc0-\xdf])/g, (_, letter: string) =>
    String.fromCharCode(letter.charCodeAt(0) - 0xc0),
  )
}

/** The same client for keys with control characters: the same servers and connections, other names for the items. */
function aliased(client: StrictClient): StrictClient {
  const { slots } = pipelineOf(client)
  const { selection } = slots
  const placed = Object.create(selection, {
    pick: { value: (key: Bytes, ...rest: [never]) => selection.pick(original(key), ...rest) },
    place: { value: (key: Bytes) => selection.place(original(key)) },
    ...(selection.locate ? { locate: { value: (key: Bytes) => selection.locate!(original(key)) } } : {}),
  })
  const pipeline = new Pipeline({
    ...slots,
    selection: placed,
    key: (key, operation, prefix) => alias(pylibmcKey(key, operation, prefix, 'any')),
  })
  return withPipeline(client, pipeline)
}

/** The same pipeline with every key on one server. */
function pipelineOn(client: StrictClient, server: number): Pipeline {
  const { slots } = pipelineOf(client)
  const { selection } = slots
  const fixed = Object.create(selection, {
    pick: {
      value: async (_: Bytes, operation: never) => {
        await selection.admit(selection.servers[server]!, operation)
        return selection.servers[server]!
      },
    },
    place: { value: () => server },
  })
  return new Pipeline({ ...slots, selection: fixed })
}

function withPipeline(client: StrictClient, pipeline: Pipeline): StrictClient {
  return Object.create(client, { [PIPELINE]: { value: pipeline } })
}
