/**
 * The two placements of a migration: the plan for a key in the phase, the copies from the old placement to the new one, the writes that
 * follow those of the authority, and the keys that may be stale. Phases: phases.ts and docs/migrating.md.
 */
import type { Key } from '../strict/index.js'
import { Deadline } from './deadline.js'
import type { checkedOptions } from './options.js'
import { type Phase, type PhaseRules, phases } from './phases.js'
import type { PlacementClient } from './placement-client.js'
import { Unsettled } from './unsettled.js'

/** Counts since the start, which show when the old placement is no longer needed. */
export interface MigrationCounts {
  readonly reads: number
  readonly hitsOld: number
  readonly hitsNew: number
  readonly misses: number
  /** Items copied from the old placement to the new one. */
  readonly copied: number
  /** Writes and deletes that did not reach the other placement. */
  readonly failedSecond: number
}

/** The plan of one operation for its key, by the phase in which it began. */
export interface Plan extends PhaseRules {
  /** The authority. */
  readonly first: PlacementClient
  readonly second: PlacementClient
}

/** The shared state of the operations of a migrating client. */
export class Placements {
  phase: Phase
  readonly counted = { reads: 0, hitsOld: 0, hitsNew: 0, misses: 0, copied: 0, failedSecond: 0 }
  readonly unsettled: Unsettled
  readonly old: PlacementClient
  readonly new: PlacementClient

  /** @param onUnsettled is called when a write or delete did not reach the other placement */
  constructor(
    sides: { readonly old: PlacementClient; readonly new: PlacementClient },
    readonly options: ReturnType<typeof checkedOptions>,
    private readonly onUnsettled: (key: Key, error: unknown) => void,
  ) {
    this.old = sides.old
    this.new = sides.new
    this.phase = options.phase
    this.unsettled = new Unsettled(options.maxUnsettled)
  }

  get rules(): PhaseRules {
    return phases[this.phase]
  }

  /** The deadline of one call. A client's timeout may change between two calls. */
  deadline(): Deadline {
    return new Deadline(this.options.timeout ?? Math.max(this.old.timeout, this.new.timeout))
  }

  /** Read once for each operation, so that a change of phase during the operation does not change its placement. */
  plan(key: Key): Plan {
    const { authority, writesBoth, fallsBack } = this.rules
    const [first, second] = authority === 'old' ? [this.old, this.new] : [this.new, this.old]
    // If both placements have the key on the same server, there is one item: no second write and no copy.
    const apart = writesBoth && first.place(key) !== second.place(key)
    return { authority, first, second, writesBoth: apart, fallsBack: apart && fallsBack }
  }

  /** Copies an item that only the old placement has. False when it has none. */
  async copy(key: Key, { first, second }: Plan): Promise<boolean> {
    const { client } = second
    if (this.unsettled.has(key)) {
      // The old copy is known to be stale.
      await client.delete(key)
      this.unsettled.delete(key)
      return false
    }
    const stored = await second.read(key)
    if (!stored) return false
    const time = stored.remaining ?? this.options.copyTime
    // add, because an item that was written to the new placement meanwhile is newer.
    if (await first.addItem(key, stored.item, time)) this.counted.copied++
    return true
  }

  /** Copies the item before operations that need it. */
  async bring(key: Key, deadline: Deadline): Promise<Plan> {
    const plan = this.plan(key)
    if (plan.fallsBack && isMissing(await deadline.step(() => plan.first.client.get(key))))
      await deadline.step(() => this.copy(key, plan))
    return plan
  }

  /** Copies a key that the authority does not have. */
  async bringAbsent(key: Key): Promise<boolean> {
    const plan = this.plan(key)
    return plan.fallsBack && (await this.copy(key, plan))
  }

  /** Writes to the authority, and after a success to the other placement. */
  async both(
    key: Key,
    plan: Plan,
    deadline: Deadline,
    write: (side: PlacementClient) => Promise<unknown>,
    follow: (side: PlacementClient) => Promise<unknown>,
  ): Promise<boolean> {
    const done = Boolean(await deadline.step(() => write(plan.first)))
    if (done && plan.writesBoth) await this.onSecond(key, plan, deadline, follow)
    return done
  }

  /** For writes that need an existing item. */
  async broughtToBoth(
    key: Key,
    write: (side: PlacementClient) => Promise<unknown>,
    follow: (side: PlacementClient) => Promise<unknown>,
  ): Promise<boolean> {
    const deadline = this.deadline()
    return this.both(key, await this.bring(key, deadline), deadline, write, follow)
  }

  /** Never fails: a key whose write failed, or was late, is remembered, and deleted later. */
  async onSecond(
    key: Key,
    { second }: Plan,
    deadline: Deadline,
    act: (side: PlacementClient) => Promise<unknown>,
  ): Promise<boolean> {
    try {
      const done = Boolean(await deadline.step(() => act(second)))
      this.unsettled.delete(key)
      return done
    } catch (error) {
      this.counted.failedSecond++
      this.unsettled.add(key)
      this.onUnsettled(key, error)
      return false
    }
  }

  /**
   * Deletes the keys from the other placement that may be stale there.
   * @throws Error when some keys could not be deleted, or when there were more than could be remembered
   */
  async settle(): Promise<void> {
    const { client } = this.rules.authority === 'old' ? this.new : this.old
    await Promise.all(
      this.unsettled.keys().map(async (key) => {
        await client.delete(key)
        this.unsettled.delete(key)
      }),
    ).catch((cause) => {
      throw new Error(`${this.unsettled.size} keys may be stale in the other placement`, { cause })
    })
    if (this.unsettled.overflowed)
      throw new Error(
        'more keys may be stale in the other placement than could be remembered: let them expire, then forgetUnsettled()',
      )
  }
}

export function drop(key: Key): (side: PlacementClient) => Promise<unknown> {
  return ({ client }) => client.delete(key)
}

export function isMissing(value: unknown): value is null | undefined {
  return value === null || value === undefined
}
