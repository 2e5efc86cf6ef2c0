/**
 * Both clients against what the real libraries did: replayed from the recorded bytes (which also proves that we send the same bytes),
 * live on a real memcached behind a fault proxy, and pylibmc's on the embedded server and through the compat client with everything
 * off (from the recorded bytes: everything-off.test.ts).
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { construct } from '../../../src/audit/methods/constructor/construct.js'
import type { PresetName } from '../../../src/compat/index.js'
import { firstDifference, liveDifference } from '../../../src/parity/compare.js'
import { type Cast, play } from '../../../src/parity/play.js'
import { byServer, type Recording } from '../../../src/parity/scenario.js'
import { compareVersions, versionAtLeast } from '../../../src/rules/version.js'
import { neighbours } from '../../support/conversations.js'
import { memcachedVersion } from '../../support/memcached.js'
import { embeddedStage } from './embedded-stage.js'
import { facade, strictOptions } from './facade.js'
import { liveStage } from './live-stage.js'
import { attempts, patiently, shortestTime } from './patience.js'
import { fixtures, loadRecordings, recordedLibraries } from './recordings.js'
import { replayStage } from './replay-stage.js'

const only = process.env.MEMSHIM_RECORDING
const root = join(fixtures, '..')

/** Recordings where we do otherwise on purpose, with the reason, by library; `live`: every library, only when live. */
const deviations: Readonly<Record<string, Readonly<Record<string, string>>>> = JSON.parse(
  readFileSync(join(root, 'test', 'differential', 'support', 'deviations.json'), 'utf8'),
)

/** What python-memcached does only because it reads whatever comes: a matter of these switches, which no preset has on. */
const outOfStep: Readonly<Record<string, string>> = deviations['python-memcached, out of step']!
const READING = {
  desynchronisation: 'python-memcached',
  'trailing-newline-keys': 'python-memcached',
} as const

/** The client that must do what the library did. */
function castFor({ library, version, binary }: Recording, mode: Mode): Cast {
  if (mode === 'facade')
    return {
      library: 'pylibmc',
      construct: (servers, kwargs, now) => facade(servers, { ...strictOptions(kwargs, binary), now }),
    }
  if (library === 'pylibmc') {
    return {
      library,
      construct: (servers, kwargs, now) =>
        construct(library, servers, kwargs, {
          now,
          strict: { negativeTimeout: 'send', binary },
        }).client,
    }
  }
  const emulate = `python-memcached-${version}` as PresetName
  const switches = mode === 'out of step' ? READING : {}
  return {
    library: 'python-memcached',
    construct: (servers, kwargs, now) =>
      construct('python-memcached', servers, kwargs, { now, compat: { emulate, switches } }).client,
  }
}

type Mode = 'replayed' | 'live' | 'embedded' | 'facade' | 'out of step'

/** The embedded server has to do for pylibmc's recordings what a real one does. */
function modes(folder: string): Mode[] {
  return folder.startsWith('pylibmc-')
    ? ['replayed', 'live', 'embedded', 'facade']
    : ['replayed', 'live', 'out of step']
}

const stages = {
  replayed: replayStage,
  embedded: embeddedStage,
  live: liveStage,
  meta: liveStage,
  auto: liveStage,
  facade: liveStage,
  'out of step': replayStage,
}

function isLive(mode: Mode): boolean {
  return stages[mode] === liveStage
}

const installed = await memcachedVersion()

/** The outcomes that the installed memcached may lead to: its version's, or those of its neighbours where it was not recorded. */
function forServer(recording: Recording): readonly Recording[] {
  const all = byServer(recording)
  const versions = all.flatMap(({ memcached = [] }) => memcached).sort(compareVersions)
  if (versions.length === 0) return all
  const near = neighbours(versions, installed)
  return all.filter(({ memcached }) => memcached!.some((version) => near.includes(version)))
}

/**
 * Plays the recording, and again where a difference came so late that a slow machine may have caused it: a client's time may have been
 * over before its server was heard, and on a real server's clock an item may have expired before the scenario's sleep.
 */
async function difference(recording: Recording, mode: Mode): Promise<string | undefined> {
  const slept = recording.scenario.steps.reduce((sum, { sleep = 0 }) => sum + sleep, 0)
  for (let attempt = 1; ; attempt++) {
    const started = performance.now()
    const found = await differenceOnce(recording, mode, attempt)
    const took = (performance.now() - started) / 1000 - slept
    if (found === undefined || took < shortestTime || attempt === attempts) return found
  }
}

/** @param patience multiplies the clients' times */
async function differenceOnce(
  recording: Recording,
  mode: Mode,
  patience: number,
): Promise<string | undefined> {
  const stage = await stages[mode](recording)
  try {
    const outcomes = await play(recording, patiently(stage, patience), castFor(recording, mode))
    return isLive(mode)
      ? liveDifference(forServer(recording), outcomes)
      : (firstDifference(recording, outcomes) ?? (await stage.difference()))
  } finally {
    await stage.stop()
  }
}

/** Test files of their own, since all of them in one take as long as everything else together. */
export type Group = 'pylibmc' | 'pymemcache' | 'Python 2' | 'Python 3'

function groupOf(folder: string): Group {
  if (folder.startsWith('pylibmc')) return 'pylibmc'
  if (folder.startsWith('pymemcache')) return 'pymemcache'
  return versionAtLeast(folder.replace('python-memcached-', ''), '1.55') ? 'Python 3' : 'Python 2'
}

/** Registers the tests of every recorded library of a group. */
export function checkRecordings(group: Group): void {
  for (const folder of recordedLibraries().filter((name) => groupOf(name) === group)) checkLibrary(folder)
}

function checkLibrary(folder: string): void {
  const recordings = loadRecordings(folder).filter(({ name }) => !only || name.startsWith(only))
  for (const mode of modes(folder)) {
    const known = {
      ...deviations[folder.replace(/-[\d.]+/, '')],
      ...deviations[folder],
      // Bytes that differ although the outcome, which the live mode compares, is the same.
      ...deviations[`${folder}, ${mode}`],
      ...(mode === 'replayed' ? {} : deviations.live),
      ...(folder.startsWith('python-memcached') ? outOfStep : {}),
    }
    describe(`${folder}, ${mode}`, () => {
      let checked = 0
      for (const recording of recordings) {
        const { name, scenario } = recording
        if (mode === 'out of step' && !(name in outOfStep)) continue
        const reason = mode === 'out of step' ? undefined : known[name]
        const title = `${name}: ${scenario.about}${reason ? ` (on purpose otherwise: ${reason})` : ''}`
        const check = async (one: Recording) => {
          checked++
          if (!reason) expect((await difference(one, mode)) ?? '').toBe('')
          else if (mode === 'replayed' && !(name in outOfStep))
            expect(await differenceOnce(one, mode, 1), 'no longer deviates').toBeDefined()
          else await differenceOnce(one, mode, 1)
        }
        if (isLive(mode)) it.concurrent(title, () => check(recording))
        else
          for (const one of byServer(recording)) {
            const where = one.memcached ? `, on memcached ${one.memcached.join(', ')}` : ''
            it.concurrent(title + where, () => check(one))
          }
      }
      afterAll(() => {
        const row = {
          library: folder,
          mode,
          recordings: checked,
          deviations: recordings.filter(({ name }) => name in known).length,
        }
        appendFileSync(join(root, '.cache', 'differential.jsonl'), `${JSON.stringify(row)}\n`)
      })
    })
  }
}
