/**
 * Random timelines of failing servers: the real pylibmc on a clock set by hand, and our strict client, side by side. More:
 * `npm run fuzz:failover -- --runs N --seed S`.
 */
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { Library } from './library.js'
import { difference, play } from './play.js'
import { type Timeline, timelines } from './timeline.js'

const available = process.env.MEMSHIM_PYTHON_PYLIBMC !== undefined
const runs = Number(process.env.MEMSHIM_FUZZ_RUNS ?? 20)
const seed = Number(process.env.MEMSHIM_FUZZ_SEED ?? 1)

describe.runIf(available)('random failover timelines', () => {
  const library = available ? new Library() : undefined
  afterAll(() => library?.close())

  test(`${runs} agree with pylibmc, seed ${seed}`, { timeout: 60_000 + runs * 2_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(timelines, async (timeline: Timeline) => {
        const [wanted, got] = await Promise.all([library!.play(timeline), play(timeline)])
        const found = difference(timeline, wanted, got)
        if (found) throw new Error(`${found}\n${JSON.stringify(timeline)}`)
      }),
      { numRuns: runs, seed, endOnFailure: false, interruptAfterTimeLimit: 50_000 + runs * 2_000 },
    )
    expect(library).toBeDefined()
  })
})
