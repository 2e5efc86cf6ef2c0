/** The preset `pylibmc` is pylibmc: with every switch off, the compat client does what pylibmc did, exceptions included. */
import { expect, it } from 'vitest'
import type { AuditedClient } from '../../src/audit/calls.js'
import { Client as CompatClient } from '../../src/compat/index.js'
import { Client as StrictClient } from '../../src/strict/index.js'
import { firstDifference } from './compare.js'
import { play } from './play.js'
import { loadRecordings, type Recording, recordedLibraries } from './recordings.js'
import { replayStage } from './replay-stage.js'

type Construct = (servers: string[], cas: boolean) => AuditedClient

const strict: Construct = (servers, cas) => new StrictClient(servers, { behaviors: { cas }, preserve: true })
const compat: Construct = (servers, cas) =>
  new CompatClient(servers, { emulate: 'pylibmc', cacheCas: cas, socketTimeout: 5, preserve: true })

/** What the compat client has no words for. */
const PYLIBMC_ONLY = new Set([
  'add_multi', 'incr_multi', 'get_behaviors', 'set_behaviors', 'clone', 'serialize', 'deserialize',
  '__getitem__', '__setitem__', '__delitem__', '__contains__',
]) // biome-ignore format: one list

/** Behaviors are pylibmc's own; of the constructor only `cas` has a counterpart. */
function comparable({ scenario }: Recording): boolean {
  const { behaviors = {}, ...others } = (scenario.client?.pylibmc ?? {}) as { behaviors?: object }
  return (
    scenario.weights === undefined &&
    Object.keys(others).length === 0 &&
    Object.keys(behaviors).every((name) => name === 'cas') &&
    !scenario.steps.some(({ call }) => call !== undefined && PYLIBMC_ONLY.has(call))
  )
}

async function difference(recording: Recording, construct: Construct): Promise<string | undefined> {
  const stage = await replayStage(recording)
  const { behaviors } = (recording.scenario.client?.pylibmc ?? {}) as { behaviors?: { cas?: unknown } }
  try {
    const played = await play(recording, stage, {
      library: 'pylibmc',
      construct: (servers) => construct(servers as string[], Boolean(behaviors?.cas)),
    })
    return firstDifference(recording, played) ?? (await stage.difference())
  } finally {
    await stage.stop()
  }
}

const folder = recordedLibraries().find((name) => name.startsWith('pylibmc-'))!
const recordings = loadRecordings(folder).filter(comparable)

it('has enough to compare', () => {
  expect(recordings.length).toBeGreaterThan(200)
})

for (const recording of recordings) {
  it.concurrent(`${recording.name}: ${recording.scenario.about}`, async () => {
    // Where strict's own defaults differ from pylibmc 1.6.3 (negative times, documented deviations), both must differ.
    const expected = await difference(recording, strict)
    const found = await difference(recording, compat)
    if (expected === undefined) expect(found).toBeUndefined()
    else expect(found).toBeDefined()
  })
}
