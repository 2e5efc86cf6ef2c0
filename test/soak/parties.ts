/** Every kind of client under the soak's load, with what the load needs of it. */
import { Client as CompatClient } from '../../src/compat/index.js'
import { MigratingClient, oldSide } from '../../src/migration/index.js'
import { Client as StrictClient } from '../../src/strict/index.js'
import { clock } from './clock.js'

/** Milliseconds for one operation. */
export const timeout = 600

type Outcome = 'done' | 'refused' | 'unanswered'

/** What a client itself knows of servers that fail. */
export class Trouble {
  count = 0
  last = Number.NEGATIVE_INFINITY

  constructor(private readonly client: CompatClient) {}

  /** Called after every operation: a server counts as dead for a second at least. */
  look(): void {
    if (this.client.servers.some((server) => server.dead)) this.happened()
  }

  happened(): void {
    this.count++
    this.last = clock.now()
  }
}

export interface Party {
  readonly name: string
  /** Of clients whose keys may be on another server, and stale, after a fault: docs/compat.md, docs/migrating.md. */
  readonly trouble?: Trouble
  /** Its reads may copy values to another placement. */
  readonly copies?: boolean
  get(key: string): Promise<unknown>
  /** Throws when no server answered. */
  getMulti(keys: readonly string[]): Promise<ReadonlyMap<string, unknown>>
  set(key: string, value: string): Promise<Outcome>
  delete(key: string): Promise<Outcome>
  /** The new value, undefined for a missing counter. */
  incr(key: string): Promise<number | undefined>
  /** Which server holds the key; undefined where that changes. */
  server(key: string): number | undefined
  stop(): void
}

const behaviors = { cas: true, retry_timeout: 1 } as const

function strict(name: string, client: StrictClient): Party {
  return {
    name,
    get: (key) => client.get(key),
    getMulti: (keys) => client.getMulti(keys),
    set: async (key, value) => ((await client.set(key, value)) ? 'done' : 'refused'),
    // A miss is an answer: the item is gone in either case.
    delete: async (key) => {
      await client.delete(key)
      return 'done'
    },
    incr: (key) => client.incr(key).then(Number, missingCounter),
    server: (key) => client.hash(key),
    stop: () => client.disconnectAll(),
  }
}

function missingCounter(error: { readonly name?: string }): undefined {
  if (error.name === 'NotFound') return undefined
  throw error
}

/** python-memcached tells of a failing server and of a refusal in the same way: nothing is certain then. */
function compat(name: string, client: CompatClient, trouble: Trouble): Party {
  return {
    name,
    trouble,
    get: (key) => client.get(key),
    getMulti: (keys) => client.getMulti([...keys]),
    set: async (key, value) => ((await client.set(key, value)) === true ? 'done' : 'unanswered'),
    delete: async (key) => ((await client.delete(key)) === 1 ? 'done' : 'unanswered'),
    incr: async (key) => {
      const value = await client.incr(key)
      return value === null ? undefined : Number(value)
    },
    server: () => undefined,
    stop: () => client.disconnectAll(),
  }
}

function migrating(client: MigratingClient, trouble: Trouble): Party {
  return {
    name: 'migrating client',
    trouble,
    copies: true,
    get: (key) => client.get(key),
    getMulti: (keys) => client.getMulti(keys),
    set: async (key, value) => ((await client.set(key, value)) ? 'done' : 'refused'),
    delete: async (key) => {
      await client.delete(key)
      return 'done'
    },
    incr: async (key) => {
      const value = await client.incr(key)
      return value === undefined ? undefined : Number(value)
    },
    server: () => undefined,
    stop: () => client.disconnectAll(),
  }
}

export interface Parties {
  readonly all: readonly Party[]
  /** Moves the migrating client to its next phase. @param last to the last one */
  nextPhase(last: boolean): Promise<void>
}

export function parties(addresses: readonly string[]): Parties {
  const old = oldSide(addresses, { socketTimeout: timeout / 1000, deadRetry: 1 })
  const moved = new Trouble(old)
  const moving = new MigratingClient({
    old,
    new: new StrictClient(addresses, { behaviors: { ...behaviors, ketama: true }, timeout }),
  })
  moving.on('unsettled', () => moved.happened())
  const failingOver = new CompatClient(addresses, { socketTimeout: timeout / 1000, deadRetry: 1 })
  const everythingOff = new CompatClient(addresses, {
    emulate: 'pylibmc',
    cacheCas: true,
    socketTimeout: timeout / 1000,
  })
  return {
    all: [
      strict('strict, text', new StrictClient(addresses, { behaviors, timeout })),
      strict('strict, binary', new StrictClient(addresses, { behaviors, timeout, binary: true })),
      strict(
        'strict, ketama',
        new StrictClient(addresses, { behaviors: { ...behaviors, ketama: true }, timeout }),
      ),
      strict(
        'strict, reopening',
        new StrictClient(addresses, { behaviors, timeout, staleConnection: 'reopen' }),
      ),
      strict('compat, everything off', everythingOff as unknown as StrictClient),
      compat('compat, 1.62', failingOver, new Trouble(failingOver)),
      migrating(moving, moved),
    ],
    async nextPhase(last: boolean) {
      // Back to the old placement alone is no way that keeps items true, so that the phases in the middle take turns.
      const next = last ? 'new' : moving.phase === 'dual-write' ? 'new-first' : 'dual-write'
      try {
        await moving.setPhase(next)
      } catch {
        // Keys may be stale in the other placement: documented, and accepted here.
        moved.happened()
        moving.forgetUnsettled()
        await moving.setPhase(next).catch(() => {})
      }
    },
  }
}
