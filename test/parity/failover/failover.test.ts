/**
 * Timelines of failing servers on our strict client: those that were recorded (fixtures/vectors/failover-timelines*.jsonl.gz), and random
 * ones with the real pylibmc beside it, on a clock that is set by hand. More: `npm run fuzz:failover -- --runs 2000 --seed 7`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fixtures } from '../../differential/support/recordings.js'
import { Library } from './library.js'
import { difference, play } from './play.js'
import { type StepOutcome, type Timeline, timelines } from './timeline.js'

interface Recorded {
  readonly timeline: Timeline
  readonly outcomes: readonly StepOutcome[]
}

/** Why the real library is not asked, or undefined. */
const missing =
  process.env.MEMSHIM_PYTHON_PYLIBMC === undefined
    ? 'no pylibmc'
    : process.platform === 'linux'
      ? Library.missing()
      : 'the clock can be set on Linux only'
const runs = Number(process.env.MEMSHIM_FUZZ_RUNS ?? 30)
const seed = Number(process.env.MEMSHIM_FUZZ_SEED ?? 1)
/** Where the timelines go that agreed. */
const record = process.env.MEMSHIM_FUZZ_RECORD
const vectors = join(fixtures, 'vectors')
const files = readdirSync(vectors).filter((name) => /^failover-timelines.*\.jsonl\.gz$/.test(name))

describe('recorded timelines', () => {
  const lines = files.flatMap((file) =>
    gunzipSync(readFileSync(join(vectors, file)))
      .toString()
      .trim()
      .split('\n')
      .slice(1),
  )
  const recorded = lines.map((line) => JSON.parse(line) as Recorded)
  test.each(Array.from({ length: 10 }, (_, part) => part))(
    'part %i of 10',
    async (part) => {
      const found: string[] = []
      for (const [index, { timeline, outcomes }] of recorded.entries()) {
        if (index % 10 !== part) continue
        const different = difference(timeline, outcomes, await play(timeline))
        if (different) found.push(`timeline ${index + 1}: ${different}`)
      }
      expect(found).toEqual([])
    },
    120_000,
  )
})

describe.skipIf(missing)(missing ?? 'random timelines, pylibmc beside us', () => {
  let library: Library
  beforeAll(() => {
    library = new Library()
  })
  afterAll(() => library.close())

  test(`${runs} timelines agree, seed ${seed}`, { timeout: 60_000 + runs * 3_000 }, async () => {
    const agreed: string[] = []
    let found = false
    await fc.assert(
      fc.asyncProperty(timelines, async (random) => {
        const timeline = JSON.parse(JSON.stringify(random)) as Timeline
        const [outcomes, ours] = await Promise.all([library.play(timeline), play(timeline)])
        const different = difference(timeline, outcomes, ours)
        if (different) {
          // Shrinking it takes minutes.
          if (!found) console.error(`${different}\n${JSON.stringify(timeline)}`)
          found = true
          throw new Error(`${different}\n${JSON.stringify(timeline)}`)
        }
        agreed.push(JSON.stringify({ timeline, outcomes }))
      }),
      { numRuns: runs, seed, endOnFailure: true },
    )
    expect(agreed).toHaveLength(runs)
    if (record) {
      const head = { format: 'memshim-failover-timelines/1', provenance: await library.provenance(), seed }
      writeFileSync(record, gzipSync(`${[JSON.stringify(head), ...agreed].join('\n')}\n`, { level: 9 }))
    }
  })
})
