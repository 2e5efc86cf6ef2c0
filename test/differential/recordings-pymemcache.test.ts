/** memshim/pymemcache against what pymemcache 3.5.2 and 4.0.0 did: from the recorded bytes, which also proves that the same bytes are sent. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { firstDifference } from '../../src/parity/compare.js'
import { play } from './support/pymemcache.js'
import { loadRecordings } from './support/recordings.js'
import { replayStage } from './support/replay-stage.js'

/** Recordings where memshim does otherwise on purpose, with the reason. */
const deviations: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(join(import.meta.dirname, 'support', 'deviations-pymemcache.json'), 'utf8'),
)

// Where the versions differ, memshim does what 4.0.0 does.
describe('pymemcache-4.0.0, replayed', () => {
  for (const recording of loadRecordings('pymemcache-4.0.0')) {
    const reason = deviations[recording.name.replace('pymemcache-', '')]
    const title = `${recording.name}: ${recording.scenario.about}${reason ? ` (on purpose otherwise: ${reason})` : ''}`
    it.concurrent(title, async () => {
      const stage = await replayStage(recording)
      try {
        const difference =
          firstDifference(recording, await play(recording, stage)) ?? (await stage.difference())
        if (reason) expect(difference, 'no longer deviates').toBeDefined()
        else expect(difference ?? '').toBe('')
      } finally {
        await stage.stop()
      }
    })
  }
})
