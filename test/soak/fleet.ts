/** Real memcacheds, each behind a fault proxy, and the faults that befall them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { FaultProxy } from '../../src/server/index.js'
import { type Memcached, startMemcached } from '../support/memcached.js'
import { clock } from './clock.js'
import type { Random } from './random.js'

export class SoakServer {
  /** Grows by one when it begins to die, and by one when it has. */
  lives = 0
  /** Deaths that are over. */
  deaths = 0
  /** When it died last: its port is held, and nothing listens on it. In milliseconds of `performance.now()`, as all times. */
  died = Number.NEGATIVE_INFINITY
  /** When the last fault ended; infinite while one lasts. */
  calmSince = 0
  /** The same on the clock of the process's own time. */
  quietSince = 0
  /** The last faults, for messages. */
  readonly history: string[] = []
  /** Faults so far, begun or ended. */
  changes = 0

  private constructor(
    private readonly memcached: Memcached,
    private readonly proxy: FaultProxy,
  ) {}

  static async start(): Promise<SoakServer> {
    const memcached = await startMemcached()
    const proxy = await new FaultProxy({ target: memcached.address }).start()
    return new SoakServer(memcached, proxy)
  }

  get address(): string {
    return this.proxy.address
  }

  get port(): number {
    return this.proxy.port
  }

  async stop(): Promise<void> {
    await this.proxy.stop()
    this.memcached.thaw()
    await this.memcached.stop()
  }

  /** One fault from its beginning to its end. */
  async suffer(kind: FaultKind, milliseconds: number): Promise<void> {
    this.calmSince = this.quietSince = Number.POSITIVE_INFINITY
    this.changes++
    this.remember(`${kind} from`)
    try {
      await this.fault(kind, milliseconds)
    } finally {
      this.changes++
      this.calmSince = performance.now()
      this.quietSince = clock.now()
      this.remember(`${kind} to`)
    }
  }

  private remember(event: string): void {
    this.history.push(`${Math.round(performance.now())} ${event}`)
    if (this.history.length > 60) this.history.shift()
  }

  private async fault(kind: FaultKind, milliseconds: number): Promise<void> {
    switch (kind) {
      case 'killed':
        // Once before and once after: an answer that comes meanwhile may be of either life.
        this.lives++
        await this.memcached.down()
        this.lives++
        this.deaths++
        this.died = performance.now()
        this.remember('dead')
        await sleep(milliseconds)
        await this.memcached.up()
        return
      case 'stopped':
        this.memcached.freeze()
        await sleep(milliseconds)
        this.memcached.thaw()
        return
      case 'partitioned':
        await this.proxy.fault({ fault: 'down' })
        await sleep(milliseconds)
        break
      case 'slowed':
        await this.proxy.fault({ fault: 'slow', ms: 1, count: 40 })
        await sleep(milliseconds)
        break
      case 'mute':
        await this.proxy.fault({ fault: 'stall', count: 3 })
        await sleep(milliseconds)
        break
      case 'resetting':
        await this.proxy.fault({ fault: 'reset', count: 3 })
        await sleep(milliseconds)
        break
      case 'cut':
        await this.proxy.fault({ fault: 'cut' })
        return
      case 'talking nonsense':
        await this.proxy.fault({ fault: 'reply', bytes: 'what is this?\r\n', count: 2 })
        await sleep(milliseconds)
        break
      case 'answering for another key':
        await this.proxy.fault({ fault: 'reply', bytes: 'VALUE foreign 0 7\r\nforeign\r\nEND\r\n', count: 2 })
        await sleep(milliseconds)
    }
    // Ends what is left of the fault as well.
    await this.proxy.fault({ fault: 'up' })
  }
}

export const faultKinds = [
  'killed',
  'stopped',
  'partitioned',
  'slowed',
  'mute',
  'resetting',
  'cut',
  'talking nonsense',
  'answering for another key',
] as const
export type FaultKind = (typeof faultKinds)[number]

/** Strikes servers one after another until the end; every fault is over when it returns. */
export async function strike(
  servers: readonly SoakServer[],
  random: Random,
  end: number,
  told: (kind: FaultKind) => void,
): Promise<void> {
  const under = new Map<SoakServer, Promise<void>>()
  while (performance.now() < end) {
    await sleep(100 + random.below(600))
    const server = random.of(servers)
    const kind = random.of(faultKinds)
    const length = 100 + random.below(1200)
    if (under.has(server)) continue
    told(kind)
    under.set(
      server,
      server.suffer(kind, length).finally(() => under.delete(server)),
    )
  }
  await Promise.all(under.values())
}
