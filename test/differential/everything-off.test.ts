/**
 * The preset `pylibmc` is pylibmc: with every switch off, the compat client does what strict does in every recording of pylibmc,
 * over both protocols: the same outcomes, exceptions and messages, and the same bytes.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { AuditedClient } from '../../src/audit/methods/calls.js'
import { construct } from '../../src/audit/methods/constructor/construct.js'
import { Client as CompatClient } from '../../src/compat/index.js'
import { firstDifference } from '../../src/parity/compare.js'
import { type Cast, play } from '../../src/parity/play.js'
import type { Recorded, Recording } from '../../src/parity/scenario.js'
import { facade, hasWord, strictOptions } from './support/facade.js'
import { patiently, withPatience } from './support/patience.js'
import { fixtures, loadRecordings } from './support/recordings.js'
import { replayStage } from './support/replay-stage.js'

const deviations: Readonly<Record<string, Readonly<Record<string, string>>>> = JSON.parse(
  readFileSync(join(fixtures, '..', 'test', 'differential', 'support', 'deviations.json'), 'utf8'),
)

/** pylibmc's own methods, and why python-memcached's facade has none: they are called on the strict client below it. */
const PYLIBMC_ONLY: Readonly<Record<string, string>> = {
  add_multi: 'python-memcached adds one key at a time',
  incr_multi: 'python-memcached counts one key at a time',
  get_behaviors: 'python-memcached has no behaviors',
  set_behaviors: 'python-memcached has no behaviors',
  serialize: 'a hook for subclasses; python-memcached has constructor arguments instead',
  deserialize: 'a hook for subclasses; python-memcached has constructor arguments instead',
  __getitem__: 'python-memcached’s client is not a mapping',
  __setitem__: 'python-memcached’s client is not a mapping',
  __delitem__: 'python-memcached’s client is not a mapping',
  __contains__: 'python-memcached’s client is not a mapping',
}

/** By the methods of their steps: what the facade is asked in them. */
function share({ scenario }: Recording): 'all' | 'some' | 'options' {
  const calls = scenario.steps.flatMap(({ call }) => call ?? [])
  const words = calls.filter(hasWord)
  for (const call of calls) if (!hasWord(call)) expect(PYLIBMC_ONLY).toHaveProperty(call)
  if (words.length === calls.length) return 'all'
  return words.length > 0 ? 'some' : 'options'
}

/** Not compared: in these strict does not do the same twice. */
const RACES: Readonly<Record<string, string>> = {
  'behaviors/poll-timeout-zero': 'a deadline of 0 ends the call before or after the connection is open',
}

interface Played {
  readonly outcomes: readonly (Recorded | null)[]
  /** From what was recorded. */
  readonly difference: string | undefined
}

/** @param patience multiplies the clients' times */
async function played(recording: Recording, made: Cast['construct'], patience: number): Promise<Played> {
  const stage = patiently(await replayStage(recording), patience)
  try {
    const outcomes = await play(recording, stage, { library: 'pylibmc', construct: made })
    const difference = firstDifference(recording, outcomes) ?? (await stage.difference())
    return JSON.parse(
      JSON.stringify({ outcomes, difference }).replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:…'),
    ) as Played
  } finally {
    await stage.stop()
  }
}

/** The clients' default time is not in the scenario, so it is made longer here. */
function defaultTime(
  { behaviors }: Readonly<Record<string, unknown>>,
  patience: number,
): { readonly timeout?: number } {
  const given =
    behaviors instanceof Map ? behaviors.has('_poll_timeout') : '_poll_timeout' in Object(behaviors)
  return patience === 1 || given ? {} : { timeout: 5000 * patience }
}

const recorded = ['pylibmc-1.6.3', 'pylibmc-1.6.3-binary'] as const
const recordings = Object.fromEntries(
  recorded.map((folder) => [folder, loadRecordings(folder).filter(({ name }) => !(name in RACES))]),
)

it('every recording is compared', () => {
  const counted = Object.fromEntries(
    recorded.map((folder) => {
      const shares = recordings[folder]!.map(share)
      const count = (wanted: string): number => shares.filter((one) => one === wanted).length
      const left = loadRecordings(folder).length - shares.length
      return [folder, { all: count('all'), some: count('some'), options: count('options'), left }]
    }),
  )
  expect(counted).toEqual({
    // Asked of the facade: every call; some, the others being pylibmc's own; none but what the constructor was told. Left out: RACES.
    'pylibmc-1.6.3': { all: 624, some: 78, options: 36, left: 1 },
    'pylibmc-1.6.3-binary': { all: 553, some: 64, options: 31, left: 1 },
  })
})

describe.each(recorded)('%s', (folder) => {
  for (const recording of recordings[folder]!) {
    const { name, scenario, binary } = recording
    const known = {
      ...deviations[folder.replace(/-[\d.]+/, '')],
      ...deviations[folder],
      ...deviations[`${folder}, replayed`],
    }
    it.concurrent(`${name}: ${scenario.about}`, () =>
      withPatience(async (patience) => {
        const [strict, found] = await Promise.all([
          played(
            recording,
            (servers, kwargs, now) =>
              construct('pylibmc', servers, kwargs, {
                now,
                strict: { negativeTimeout: 'send', binary, ...defaultTime(kwargs, patience) },
              }).client,
            patience,
          ),
          played(
            recording,
            (servers, kwargs, now) =>
              facade(servers, { ...strictOptions(kwargs, binary), now, ...defaultTime(kwargs, patience) }),
            patience,
          ),
        ])
        expect(found).toEqual(strict)
        if (!(name in known)) expect(found.difference).toBeUndefined()
      }))
  }
})

/** Of the constructor only `cas` has a counterpart among python-memcached's keywords. */
function expressible({ scenario }: Recording): boolean {
  const { behaviors = {} } = (scenario.client?.pylibmc ?? {}) as { behaviors?: object }
  return (
    Object.entries(behaviors).every(([name, value]) => name === 'cas' && typeof value !== 'string') &&
    !scenario.steps.some(({ call }) => call !== undefined && !hasWord(call))
  )
}

/** One that changes nothing here: the way there is the switches' own, each at `pylibmc`. */
const LAST = { 'debug-raises': 'python-memcached' } as const

describe('one switch before the end', () => {
  for (const recording of recordings['pylibmc-1.6.3']!.filter(expressible)) {
    const { name, scenario } = recording
    const { behaviors } = (scenario.client?.pylibmc ?? {}) as { behaviors?: { cas?: unknown } }
    it.concurrent(`${name}: ${scenario.about}`, () =>
      withPatience(async (patience) => {
        const seconds = 5 * patience
        const made = (servers: Parameters<Cast['construct']>[0]): AuditedClient =>
          new CompatClient(servers, {
            emulate: 'pylibmc',
            switches: LAST,
            cacheCas: Boolean(behaviors?.cas),
            socketTimeout: seconds,
            preserve: true,
          })
        const strict = await played(
          recording,
          (servers, kwargs) =>
            construct('pylibmc', servers, kwargs, { strict: { timeout: seconds * 1000 } }).client,
          patience,
        )
        const found = await played(recording, made, patience)
        expect(firstDifference({ ...recording, steps: strict.outcomes }, found.outcomes)).toBeUndefined()
        expect(found.difference).toBe(strict.difference)
      }))
  }
})
