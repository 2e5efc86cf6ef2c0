/** Counters during a migration: they live in the authority alone, and move when a change of phase makes the new placement the authority. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Key } from '../strict/index.js'
import type { Deadline } from './deadline.js'
import { drop, type Placements, type Plan } from './placements.js'

/** What a moved counter leaves behind: no number, so that a straggler's incr fails instead of being lost. */
const MOVED = 'moved'
const MOVED_SECONDS = 60
/** How often, and how many milliseconds apart, a counter is looked for that another process is moving. */
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
 * Takes a counter out of the old placement by CAS, so that no increment between reading and taking is lost.
 * @returns false when there is none
 */
async function moveCounter(
  placements: Placements,
  key: Key,
  { first, second }: Plan,
  deadline: Deadline,
): Promise<boolean> {
  // Taking and adding are one step, which is brought to its end whenever it begins: a counter in between would be lost.
  const move = async (): Promise<boolean | undefined> => {
    const [stored, seen] = [await second.read(key), await second.gets(key)]
    if (!stored || !seen) return false
    // Somebody else has taken it and is about to add it here.
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
