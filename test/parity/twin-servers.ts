/** Two equal sets of real memcached servers behind fault proxies: one for the real library, one for our client. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { FaultProxy, parseFault, type RecordedExchange } from '../../src/server/index.js'
import { type Memcached, memcachedVersion, startMemcached } from '../support/memcached.js'

/** Why the items of the installed memcached cannot be compared, or undefined. */
export async function unlisted(): Promise<string | undefined> {
  const version = await memcachedVersion()
  return /^1\.[0-4]\./.test(version) ? `memcached ${version} lists no items` : undefined
}

/** An item as the server holds it. */
export interface StoredItem {
  readonly flags: number
  /** Unix time in seconds, or -1 for an item that never expires. */
  readonly expires: number
  /** One character per byte. */
  readonly data: string
}

/** A request as a server got it. */
export interface Heard {
  /** From 0 in the order of their first requests. */
  readonly connection: number
  readonly line: string
  readonly flags: number
  /** One character per byte. */
  readonly data: string
}

/** Items of one server by key; keys are as on the wire, one character per byte. */
export type Contents = ReadonlyMap<string, StoredItem>

/** One memcached and the proxy in front of it. */
class ProxiedServer {
  private constructor(
    private readonly memcached: Memcached,
    private readonly proxy: FaultProxy,
    private readonly admin: Admin,
    private readonly exchanges: RecordedExchange[],
  ) {}

  static async start(): Promise<ProxiedServer> {
    // One thread: what was sent first is done first, also on a connection that is closed.
    const memcached = await startMemcached({ args: ['-t', '1', '-m', '64'] })
    const exchanges: RecordedExchange[] = []
    const record = (exchange: RecordedExchange) => void exchanges.push(exchange)
    const proxy = await new FaultProxy({ target: memcached.address, record }).start()
    return new ProxiedServer(memcached, proxy, new Admin(memcached.port), exchanges)
  }

  get address(): string {
    return this.proxy.address
  }

  async fault(step: object): Promise<void> {
    await this.proxy.fault(parseFault({ ...step, server: 0 }))
  }

  async raw(bytes: string): Promise<void> {
    await this.admin.ask(`${bytes}version\r\n`, (reply) => /VERSION [^\r]*\r\n$/.test(reply))
  }

  /** The requests since the last reset, without `quit`: its connection may be gone before it is read. */
  get heard(): readonly Heard[] {
    const ordinals = new Map<number, number>()
    const asked = this.exchanges.filter(({ sent }) => !sent.startsWith('quit'))
    return asked.map(({ connection, sent }) => {
      if (!ordinals.has(connection)) ordinals.set(connection, ordinals.size)
      const end = sent.indexOf('\r\n')
      return {
        connection: ordinals.get(connection)!,
        ...lineOf(sent.slice(0, end)),
        data: sent.slice(end + 2, -2),
      }
    })
  }

  async contents(): Promise<Contents> {
    const listing = await this.listing()
    const keys = [...listing.matchAll(/^key=(\S+) exp=(-?\d+) /gm)].map(
      ([, key, expires]) => [unescaped(key!), Number(expires)] as const,
    )
    const items = new Map<string, StoredItem>()
    for (const [key, expires] of keys.sort(([a], [b]) => (a < b ? -1 : 1))) {
      const reply = await this.admin.ask(`get ${key}\r\n`, itemComplete)
      const [, flags, length] = /^VALUE [^ ]+ (\d+) (\d+)\r\n/.exec(reply) ?? []
      if (flags === undefined) continue
      const start = reply.indexOf('\r\n') + 2
      items.set(key, { flags: Number(flags), expires, data: reply.slice(start, start + Number(length)) })
    }
    return items
  }

  /** Now and then the server's own crawler is at work. */
  private async listing(): Promise<string> {
    for (;;) {
      const reply = await this.admin.ask('lru_crawler metadump all\r\n', (text) =>
        /(^|\n)(END|ERROR|BUSY[^\n]*|locked[^\n]*)\r\n$/.test(text),
      )
      if (reply.endsWith('END\r\n')) return reply
      await sleep(20)
    }
  }

  /** Without items, faults and connections, as after a start. */
  async reset(): Promise<void> {
    await this.proxy.fault({ fault: 'up' })
    await this.proxy.fault({ fault: 'cut', server: 0 })
    // What came on these connections is done before this answer.
    await this.raw('')
    await this.admin.ask('flush_all\r\n', (reply) => reply.endsWith('\r\n'))
    this.exchanges.length = 0
  }

  async stop(): Promise<void> {
    this.admin.close()
    await this.proxy.stop()
    await this.memcached.stop()
  }
}

/** Without the length of a value and its CAS unique: a pickle may be written in two ways (compare.ts), and each server has its own numbers. */
function lineOf(line: string): Pick<Heard, 'line' | 'flags'> {
  const [, start, flags, end] =
    /^((?:set|add|replace|append|prepend|cas) \S+ (\S+) \S+) \d+(?: \d+)?( noreply)?$/.exec(line) ?? []
  return start === undefined ? { line, flags: 0 } : { line: start + (end ?? ''), flags: Number(flags) }
}

function itemComplete(reply: string): boolean {
  if (reply === 'END\r\n') return true
  const [header, length] = /^VALUE [^ ]+ \d+ (\d+)\r\n/.exec(reply) ?? []
  return header !== undefined && reply.length >= header.length + Number(length) + '\r\nEND\r\n'.length
}

/** metadump writes keys percent-encoded. */
function unescaped(key: string): string {
  return key.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** A connection of the test's own, past the proxy. */
class Admin {
  private socket: Socket | undefined

  constructor(private readonly port: number) {}

  ask(command: string, complete: (reply: string) => boolean): Promise<string> {
    this.socket ??= connect(this.port, '127.0.0.1')
    const { socket } = this
    return new Promise((resolve, reject) => {
      let reply = ''
      const heard = (chunk: Buffer): void => {
        reply += chunk.toString('latin1')
        if (!complete(reply)) return
        socket.off('data', heard)
        socket.off('error', reject)
        resolve(reply)
      }
      socket.on('data', heard)
      socket.on('error', reject)
      socket.write(command, 'latin1')
    })
  }

  close(): void {
    this.socket?.destroy()
  }
}

/** One side of the twins. */
export interface ServerSet {
  readonly addresses: readonly string[]
  contents(): Promise<Contents[]>
  /** What each server was asked. */
  heard(): readonly (readonly Heard[])[]
}

export class TwinServers {
  private constructor(
    private readonly left: readonly ProxiedServer[],
    private readonly right: readonly ProxiedServer[],
  ) {}

  static async start(count: number): Promise<TwinServers> {
    const start = () => Promise.all(Array.from({ length: count }, () => ProxiedServer.start()))
    return new TwinServers(await start(), await start())
  }

  /** The real library's servers, the first `count` of them. */
  theirs(count: number): ServerSet {
    return serverSet(this.left.slice(0, count))
  }

  /** Our client's. */
  ours(count: number): ServerSet {
    return serverSet(this.right.slice(0, count))
  }

  /** The same fault on both sides. */
  async fault(step: { readonly server: number }): Promise<void> {
    await Promise.all([this.left[step.server]!.fault(step), this.right[step.server]!.fault(step)])
  }

  /** The same bytes to both sides, past the clients. */
  async raw({ server, raw }: { readonly server: number; readonly raw: string }): Promise<void> {
    await Promise.all([this.left[server]!.raw(raw), this.right[server]!.raw(raw)])
  }

  async reset(): Promise<void> {
    await Promise.all([...this.left, ...this.right].map((server) => server.reset()))
  }

  async stop(): Promise<void> {
    await Promise.all([...this.left, ...this.right].map((server) => server.stop()))
  }
}

function serverSet(servers: readonly ProxiedServer[]): ServerSet {
  return {
    addresses: servers.map(({ address }) => address),
    contents: () => Promise.all(servers.map((server) => server.contents())),
    heard: () => servers.map(({ heard }) => heard),
  }
}
