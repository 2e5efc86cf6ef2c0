/**
 * Turns exchanges into the lines of a trace: in the order of the commands, sampled, redacted, with keys hashed; in parts with a header
 * each. Format: docs/formats.md, "Traces".
 */

import {
  type CaptureKind,
  type CommandExchange,
  Conversation,
  type ConversationCounts,
  type ConversationSink,
  type Endpoint,
  keysOf,
  type Part,
  type Rewriting,
  written,
} from '../capture/index.js'
import { isSampled, keyHasher } from './key-hash.js'
import { Looks } from './looks.js'
import { onlySampled } from './sampled-parts.js'
import { type OrderFound, serverOrder } from './server-order.js'
import type { RecordSettings } from './settings.js'
import { TraceFiles } from './trace-files.js'

interface Entry {
  readonly exchange: CommandExchange
  readonly client: string
  readonly server: number
}

/** The largest number of commands that wait for the reply of an earlier one. Beyond that the earlier one is written without its reply. */
const mostOpen = 20_000
/** The number of characters that are written at once. */
const writtenAtOnce = 16 * 1024
/** Exchanges that are written between two looks at the clock. */
const entriesAtOnce = 32
/** Seconds of a capture in which an earlier command may still arrive, longer than a segment is held. */
const mayComeLate = 1
/** Seconds for which a reply is waited for. */
const longestOpen = 30
/** Commands, bytes and seconds of the capture after which the header is written. */
const undecided = { commands: 1000, bytes: 1024 * 1024, seconds: 10 }

export class Recording {
  readonly counts: ConversationCounts & { written: number; leftOut: number; standIns: number; meta: number } =
    {
      exchanges: 0,
      restarts: 0,
      passedBytes: 0,
      strayBytes: 0,
      unknownReplies: 0,
      endless: 0,
      written: 0,
      leftOut: 0,
      standIns: 0,
      meta: 0,
    }
  readonly looks = new Looks()
  readonly files: TraceFiles
  readonly servers: string[]
  private readonly order = serverOrder()
  private readonly rewriting: Rewriting
  private open: Entry[] = []
  private held: { readonly entry: Entry; readonly line: object }[] | undefined = []
  private heldBytes = 0
  private lines: string[] = []
  private lineBytes = 0
  private clients = new Set<string>()
  private readonly allClients = new Set<string>()
  private epoch = 0
  private last = 0
  /** Unix time of the first and the last command. */
  span: { first: number; last: number } | undefined

  constructor(
    private readonly settings: RecordSettings,
    private readonly source: CaptureKind,
  ) {
    this.files = new TraceFiles(settings.out, settings.maxBytes, settings.files)
    this.servers = [...(settings.servers ?? [])]
    this.rewriting = {
      key: settings.hashKeys === undefined ? undefined : keyHasher(settings.hashKeys),
      redact: settings.redact === true,
    }
  }

  get clientCount(): number {
    return this.allClients.size
  }

  /** A connection to a server, by the server's name in the trace. */
  conversation(client: Pick<Endpoint, 'address'>, server: string, whole: boolean): ConversationSink {
    const index = this.serverIndex(server)
    return new Conversation(
      whole,
      this.counts,
      (exchange) => this.add({ exchange, client: clientName(client.address, exchange), server: index }),
      () => undefined,
    )
  }

  serverIndex(server: string): number {
    const known = this.servers.indexOf(server)
    return known >= 0 ? known : this.servers.push(server) - 1
  }

  /** Adds an exchange, settled or not; exchanges arrive nearly in the order in which the servers received them. */
  add(entry: Entry): void {
    const { open } = this
    let place = open.length
    // A command for which its connection had to wait arrives after later commands of other connections.
    while (place > 0 && open[place - 1]!.exchange.time > entry.exchange.time) place--
    if (place === open.length) open.push(entry)
    else open.splice(place, 0, entry)
  }

  /**
   * Writes the settled exchanges, for about so many milliseconds. Waits for the disk when it is behind.
   * @returns whether there are more settled exchanges
   * @throws RecordError when a file cannot be written
   */
  async write(now = Number.POSITIVE_INFINITY, milliseconds = Number.POSITIVE_INFINITY): Promise<boolean> {
    const until = performance.now() + milliseconds
    let count = 0
    for (const { exchange } of this.open) {
      const late = this.open.length - count > mostOpen || now - exchange.time > longestOpen
      if (!exchange.settled && !(Number.isFinite(now) && late)) break
      if (Number.isFinite(now) && now - exchange.time < mayComeLate && !late) break
      count++
    }
    do {
      const entries = this.open.splice(0, Math.min(count, entriesAtOnce))
      for (const entry of entries) await this.written(entry)
      count -= entries.length
    } while (count > 0 && performance.now() < until)
    await this.flush()
    return count > 0
  }

  /** The recording is over. @throws RecordError */
  async end(): Promise<void> {
    for (const entry of this.open.splice(0)) await this.written(entry)
    await this.decide()
    await this.flush()
    await this.files.end()
  }

  /** The order of the servers that the keys show, if the settings do not give it. */
  orderFound(): OrderFound | undefined {
    return this.order.result(this.servers)
  }

  private async written({ exchange, client, server }: Entry): Promise<void> {
    const { command, time } = exchange
    const { sample = 1 } = this.settings
    this.looks.add(command)
    if (command.protocol === 'meta') this.counts.meta++
    for (const key of keysOf(command.parts)) this.order.add(key, server)
    const sampled = (key: string) => isSampled(sample, key)
    const request = sample < 1 ? onlySampled(command.parts, sampled) : command.parts
    if (request === undefined) {
      this.counts.leftOut++
      return
    }
    const reply = exchange.reply && sample < 1 ? (onlySampled(exchange.reply, sampled) ?? []) : exchange.reply
    this.counts.standIns += longValues(request) + longValues(reply ?? [])
    this.span ??= { first: time, last: time }
    this.span.last = Math.max(this.span.last, time)
    const line = {
      client,
      wire: written(request, this.rewriting),
      server,
      ...(reply === undefined ? {} : { reply: reply === null ? null : written(reply, this.rewriting) }),
    }
    const entry = { exchange, client, server }
    if (this.held) {
      this.held.push({ entry, line })
      this.heldBytes += JSON.stringify(line).length
      const enough =
        (this.settings.library !== undefined && this.settings.servers !== undefined) ||
        this.held.length >= undecided.commands ||
        this.heldBytes >= undecided.bytes ||
        time - this.held[0]!.entry.exchange.time >= undecided.seconds
      if (enough) await this.decide()
    } else await this.line(entry, line)
  }

  /** Writes the header, and the lines that waited for it. */
  private async decide(): Promise<void> {
    const { held } = this
    if (!held) return
    this.held = undefined
    for (const { entry, line } of held) await this.line(entry, line)
    if (this.files.number === 0) await this.part(this.span?.first ?? 0)
  }

  /** The arguments of a client's constructor, as far as its commands show them. */
  private kwargs({ command }: CommandExchange): object {
    const { name } = this.settings.library ?? this.looks.library ?? { name: 'python-memcached' }
    return command.protocol === 'binary' && name === 'pylibmc' ? { binary: true } : {}
  }

  private async line({ exchange, client }: Entry, line: object): Promise<void> {
    const { time } = exchange
    if (this.files.number === 0 || this.files.full) {
      await this.flush()
      await this.part(time)
    }
    const t = Math.max(this.last, Number((time - this.epoch).toFixed(6)))
    this.last = t
    if (!this.clients.has(client)) {
      this.clients.add(client)
      this.allClients.add(client)
      this.lines.push(
        `${JSON.stringify({ t, client, new: { servers: this.servers, kwargs: this.kwargs(exchange) } })}\n`,
      )
    }
    const text = `${JSON.stringify({ t, ...line })}\n`
    this.lines.push(text)
    this.lineBytes += text.length
    this.counts.written++
    if (this.lineBytes >= writtenAtOnce) await this.flush()
  }

  private async part(time: number): Promise<void> {
    await this.files.begin()
    this.epoch = time
    this.last = 0
    this.clients = new Set()
    this.files.write(`${JSON.stringify(this.header(time))}\n`)
  }

  private header(time: number): object {
    const { library, about, serverVersion, sample = 1, redact, hashKeys } = this.settings
    const { name, version } = library ?? this.looks.library ?? { name: 'python-memcached', version: '1.59' }
    return {
      format: 'memshim-trace/1',
      library: name,
      version,
      servers: Math.max(1, this.servers.length),
      ...(about === undefined ? {} : { source: about }),
      recorded: new Date(time * 1000).toISOString(),
      epoch: Number(time.toFixed(6)),
      ...(serverVersion === undefined ? {} : { server_version: serverVersion }),
      ...(sample < 1 ? { sample } : {}),
      ...(redact || this.source === 'watch' ? { redacted: true } : {}),
      ...(hashKeys === undefined ? {} : { hashed_keys: true }),
      captured: this.source,
      ...(library ? {} : { guessed: true }),
      ...(this.files.number > 1 ? { part: this.files.number } : {}),
    }
  }

  private async flush(): Promise<void> {
    if (this.lines.length > 0) {
      this.files.write(this.lines.join(''))
      this.lines = []
      this.lineBytes = 0
    }
    await this.files.caughtUp()
  }
}

function longValues(parts: readonly Part[]): number {
  return parts.filter((part) => part.kind === 'value' && part.bytes === undefined).length
}

/** One client for each address, and a second one if the address also uses the binary protocol. */
function clientName(address: string, { command }: CommandExchange): string {
  return command.protocol === 'binary' ? `${address} binary` : address
}
