/** One named switch at a time: each says so when it changes an outcome, and is silent when it is off. */
import { describe, expect, it } from 'vitest'
import { construct } from '../../src/audit/methods/constructor/construct.js'
import {
  Client as CompatClient,
  type Divergence,
  type PresetName,
  type Switch,
  type SwitchName,
  type SwitchSetting,
  switches,
} from '../../src/compat/index.js'
import { play } from '../../src/parity/play.js'
import type { Recording } from '../../src/parity/scenario.js'
import { embeddedStage } from './support/embedded-stage.js'
import { loadRecordings } from './support/recordings.js'

const byVersion = new Map<string, ReadonlyMap<string, Recording>>()

/** The recording of a switch's scenario by the version that shows the behaviour. */
function recordingOf({ fixture, shownBy = '1.59' }: Switch): Recording {
  let recordings = byVersion.get(shownBy)
  if (!recordings) {
    recordings = new Map(loadRecordings(`python-memcached-${shownBy}`).map((one) => [one.name, one]))
    byVersion.set(shownBy, recordings)
  }
  return recordings.get(fixture)!
}

async function announced(
  recording: Recording,
  changed: Partial<Record<SwitchName, SwitchSetting>>,
): Promise<Divergence[]> {
  const events: Divergence[] = []
  const stage = await embeddedStage(recording)
  try {
    await play(recording, stage, {
      library: 'python-memcached',
      construct: (servers, kwargs, now) => {
        const { client } = construct('python-memcached', servers, kwargs, {
          now,
          compat: {
            emulate: `python-memcached-${recording.version}` as PresetName,
            switches: changed,
          },
        })
        if (client instanceof CompatClient) client.on('divergence', (event) => events.push(event))
        return client
      },
    })
  } finally {
    await stage.stop()
  }
  return events
}

/** The rows of the grid in docs/reference/python-memcached.md#21, in its order, and whether it marks them "fix". */
const GRID: readonly (readonly [SwitchName, fix?: 'fix'])[] = [
  ['hashing'],
  ['probe-limit'],
  ['wire-spelling'],
  ['text-encoding'],
  ['flag-0-reads'],
  ['booleans'],
  ['subclasses'],
  ['unknown-flags'],
  ['oversize'],
  ['missing-counter'],
  ['missing-delete'],
  ['retry-on-close'],
  ['trailing-newline-keys', 'fix'],
  ['set-multi-oversize', 'fix'],
  ['set-multi-losses', 'fix'],
  ['multi-tuple-keys'],
  ['cas-ids'],
  ['touch-zero-time'],
  ['get-default'],
  ['get-default-on-failure'],
  ['timedelta-in-set'],
  ['key-encoder-twice', 'fix'],
  ['debug-raises', 'fix'],
]

it('every row of the grid is a switch, and those marked "fix" can be safe', () => {
  const table = new Map(switches.map((one) => [one.name, one]))
  for (const [name, fix] of GRID) {
    expect(table.has(name), name).toBe(true)
    if (fix) expect(table.get(name)!.safe, name).toBeDefined()
  }
})

/** Python refuses the call before the client sees it; src/compat/methods/surface.test.ts shows what the client says. */
const BY_SIGNATURE = new Set<SwitchName>(['get-default'])

/** Those that a scenario shows and that announce it. */
const audible = switches.filter(({ name, silent, preset }) => !silent && !preset && !BY_SIGNATURE.has(name))

describe.each(audible)('$name', (entry) => {
  const { name, advice, safe, docs } = entry
  it('says so, with operation, both outcomes and advice, in the scenario that shows it', async () => {
    const events = (await announced(recordingOf(entry), {})).filter((event) => event.switch === name)
    expect(events.length).toBeGreaterThan(0)
    for (const event of events) {
      expect(event.operation).toMatch(/^[a-z]+/)
      expect(event.compat).not.toBe('')
      expect(event.strict).not.toBe('')
      expect(event.advice).toBe(advice)
      expect(event.docs).toBe(docs)
    }
  })

  it.each(['pylibmc', ...(safe ? ['safe'] : [])])('is silent when it is %s', async (setting) => {
    const events = await announced(recordingOf(entry), { [name]: setting })
    expect(events.filter((event) => event.switch === name)).toEqual([])
  })
})
