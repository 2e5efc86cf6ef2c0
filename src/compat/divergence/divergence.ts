/**
 * Divergences: each time an emulated behaviour changes an outcome, it is announced, as an event of the client and on the
 * diagnostics channel `memshim:divergence`.
 */
import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { notify } from '../../ground/observers.js'
import type { Operation } from '../../pipeline/operations.js'
import { type SwitchName, switchesByName } from '../../rules/index.js'

/** An outcome that differs from pylibmc's, announced when it happens (docs/compat.md). */
export interface Divergence {
  readonly switch: SwitchName
  readonly operation: Operation
  /** The key in its form on the wire, as text. */
  readonly key?: string | undefined
  /** `host:port` or socket path. */
  readonly server?: string | undefined
  /** python-memcached's outcome as a short text: `None`, `0, nothing sent`. */
  readonly compat: string
  /** pylibmc's outcome: `raises NotFound (16)`. */
  readonly strict: string
  /** Class of the exception that pylibmc would raise: `NotFound`. undefined where it raises none, or where the class is not known. */
  readonly raises?: string | undefined
  /** How to change the calling code. */
  readonly advice: string
  /** The section of the documentation, relative to docs/. */
  readonly docs: string
  /** The exception that was swallowed, with return code and cause. */
  readonly error?: unknown
}

/** The facts that a policy announces; switch and advice are added. */
export type Announcement = Omit<Divergence, 'switch' | 'advice' | 'docs' | 'compat' | 'strict' | 'raises'> & {
  readonly compat: string | Raised
  readonly strict: string | Raised
}

export const divergenceChannelName = 'memshim:divergence'
/** Channel `memshim:divergence` of node:diagnostics_channel: the divergences of every client of the process. */
export const divergenceChannel = channel(divergenceChannelName)

export class Announcer {
  /** Whether the client's event has listeners. The emitter keeps it up to date, because counting them takes too long. */
  listened = false

  constructor(private readonly emitter: EventEmitter) {}

  /** Whether the event has listeners or the channel has subscribers. Checked before work that only an announcement needs. */
  get active(): boolean {
    return this.listened || divergenceChannel.hasSubscribers
  }

  /** For `heard?.announce(…)`, which creates no announcement object when there is no listener. */
  get heard(): Announcer | undefined {
    return this.active ? this : undefined
  }

  announce(name: SwitchName, announcement: Announcement): void {
    const { key, compat, strict, ...rest } = announcement
    const divergence: Divergence = {
      switch: name,
      ...rest,
      compat: String(compat),
      strict: String(strict),
      raises: typeof strict === 'string' ? undefined : strict.name,
      key: key === undefined ? undefined : Buffer.from(key, 'latin1').toString('utf8'),
      advice: switchesByName[name].advice,
      docs: switchesByName[name].docs,
    }
    divergenceChannel.publish(divergence)
    notify(this.emitter, 'divergence', divergence)
  }
}

/** The methods that change listeners, which Node's `once`, `prependOnceListener`, `events.once` and `events.on` call as well. */
const changers = [
  'on',
  'addListener',
  'prependListener',
  'off',
  'removeListener',
  'removeAllListeners',
] as const

/** Keeps its announcer informed whether it has listeners. A `newListener` listener would be removed by `removeAllListeners()`. */
export class DivergenceEmitter extends EventEmitter<{ divergence: [Divergence] }> {
  /** @internal */
  declare readonly announcer: Announcer

  constructor() {
    super()
    // Not enumerable, so that console.log of a client shows only the fields of Node's EventEmitter.
    Object.defineProperty(this, 'announcer', { value: new Announcer(this) })
  }
}

// Not as overrides: their signatures use types that Node does not export, and listeners would lose their types.
for (const name of changers) {
  const change = EventEmitter.prototype[name]
  const value = function (this: DivergenceEmitter, ...args: unknown[]): DivergenceEmitter {
    Reflect.apply(change, this, args)
    this.announcer.listened = this.listenerCount('divergence') > 0
    return this
  }
  Object.defineProperty(DivergenceEmitter.prototype, name, { value, configurable: true, writable: true })
}

/** An exception instead of a result. */
export class Raised {
  constructor(
    /** The name of its class. */
    readonly name: string,
    /** libmemcached's return code. */
    readonly code?: number,
  ) {}

  /** `raises NotFound (16)`. */
  toString(): string {
    return `raises ${this.name}${this.code === undefined ? '' : ` (${this.code})`}`
  }
}

export function raises(error: unknown): Raised {
  if (!(error instanceof Error)) return new Raised(String(error))
  return new Raised(error.name, 'code' in error && typeof error.code === 'number' ? error.code : undefined)
}
