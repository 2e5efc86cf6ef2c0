/** Counters during a migration: they are stored only in the authority, and move when a change of phase makes the new placement the authority. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Key } from '../strict/index.js'
import type { Deadline } from './deadline.js'
import { drop, type Placements, type Plan } from './placements.js'

/** The value that replaces a moved counter: not a number, so that incr of a process in an older phase fails instead of being lost. */
const MOVED = 'moved'
const MOVED_SECONDS = 60
/** Number of attempts, and milliseconds between them, to find a counter that another process is moving. */
const MOVE_TRIES = 50
const MOVE_PAUSE = 10

/** New value of a counter; undefined when there is none. @throws as MigratingClient.incr */
export async function count(
  placements: Placements,
  verb: 'incr' | 'decr',
  key: Key,
  delta: number,
): Promise<number | bigint | undefined> {
  const plan = placements.plan(key)
  const deadline = placements.deadline()
  const step = () => plan.first.count(verb, key, delta)
  let value = await deadline.step(step)
  if (value === undefined && plan.fallsBack) {
    for (let tries = 0; value === undefined && tries < MOVE_TRIES; tries++) {
      if (!(await moveCounter(placements, key, plan, deadline))) break
      value = await deadline.step(step)
      if (value === undefined) await sleep(MOVE_PAUSE)
    }
  } else if (value !== undefined && plan.writesBoth) await placements.onSecond(key, plan, deadline, drop(key))
  return value
}

/**
 * Removes a counter from the old placement by CAS, so that no increment between reading and removing is lost.
 * @returns false when there is none
 */
async function moveCounter(
  placements: Placements,
  key: Key,
  { first, second }: Plan,
  deadline: Deadline,
): Promise<boolean> {
  // Removing and adding are one step, which is always finished once it has begun: otherwise the counter would be lost.
  const move = async (): Promise<boolean | undefined> => {
    const [stored, seen] = [await second.read(key), await second.gets(key)]
    if (!stored || !seen) return false
    // Another process has removed it and is about to add it to the new placement.
    if (seen.value === MOVED) return true
    if (stored.item.data.toString() !== String(seen.value)) return undefined
    if (!(await second.client.cas(key, MOVED, seen.unique, { time: MOVED_SECONDS }))) return undefined
    await first.addItem(key, stored.item, stored.remaining ?? placements.options.copyTime)
    placements.counted.copied++
    return true
  }
  for (;;) {
    const moved = await deadline.step(move)
    if (moved !== undefined) return moved
  }
}
