/**
 * Both clients against what the real libraries did: replayed from the recorded bytes (which also proves that we send the same bytes),
 * live on a real memcached behind a fault proxy, and pylibmc's on the embedded server and through the compat client with everything
 * off (from the recorded bytes: everything-off.test.ts).
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { construct } from '../../src/audit/construct.js'
import type { PresetName } from '../../src/compat/index.js'
import { firstDifference } from './compare.js'
import { embeddedStage } from './embedded-stage.js'
import { facade, strictOptions } from './facade.js'
import { liveStage } from './live-stage.js'
import { type Cast, play } from './play.js'
import { fixtures, loadRecordings, type Recording, recordedLibraries } from './recordings.js'
import { replayStage } from './replay-stage.js'

const only = process.env.MEMSHIM_RECORDING
const root = join(fixtures, '..')

/** Recordings where we do otherwise on purpose, with the reason, by library; `live`: every library, only when live. */
const deviations: Readonly<Record<string, Readonly<Record<string, string>>>> = JSON.parse(
  readFileSync(join(root, 'test', 'differential', 'deviations.json'), 'utf8'),
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
      construct: (servers, kwargs) => facade(servers, strictOptions(kwargs, binary)),
    }
  if (library === 'pylibmc') {
    return {
      library,
      construct: (servers, kwargs) =>
        construct(library, servers, kwargs, {
          strict: { negativeTimeout: 'send', binary },
        }).client,
    }
  }
  const emulate = `python-memcached-${version}` as PresetName
  const switches = mode === 'out of step' ? READING : {}
  return {
    library: 'python-memcached',
    construct: (servers, kwargs) =>
      construct('python-memcached', servers, kwargs, { compat: { emulate, switches } }).client,
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

/** Test files of their own, since all of them in one take as long as everything else together. */
export type Group = 'pylibmc' | 'Python 2' | 'Python 3'

function groupOf(folder: string): Group {
  if (folder.startsWith('pylibmc')) return 'pylibmc'
  return Number(folder.replace('python-memcached-', '')) <= 1.54 ? 'Python 2' : 'Python 3'
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
        it.concurrent(title, async () => {
          const stage = await stages[mode](recording)
          try {
            const played = await play(recording, stage, castFor(recording, mode))
            const difference = firstDifference(recording, played) ?? (await stage.difference())
            checked++
            if (!reason) expect(difference ?? '').toBe('')
            else if (mode === 'replayed' && !(name in outOfStep))
              expect(difference, 'no longer deviates').toBeDefined()
          } finally {
            await stage.stop()
          }
        })
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
