/**
 * Random sequences on the real pylibmc, text and binary, and on our strict client side by side, on twin memcacheds. More:
 * `npm run fuzz:parity -- --runs 1000 --seed 7`.
 */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { installed, skipped } from '../support/python-library.js'
import { checkSequences, runs, seed } from './check.js'
import { kinds, pylibmcPair, pylibmcSequences } from './pylibmc.js'
import type { Pair } from './run-sequence.js'
import { TwinServers, unlisted } from './twin-servers.js'

const library = installed.find(({ library }) => library === 'pylibmc')!

const missing = library.python === undefined ? skipped : await unlisted()

describe.skipIf(missing)(missing ?? 'pylibmc 1.6.3 and strict', () => {
  let pair: Pair
  let twins: TwinServers
  beforeAll(async () => {
    pair = await pylibmcPair(library)
    twins = await TwinServers.start(3)
  })
  afterAll(async () => {
    await twins?.stop()
    await pair?.python.stop()
  })

  // Faults meet the library's deadlines on a busy machine, so that they belong to long runs.
  for (const protocol of ['text', 'binary'] as const)
    for (const kind of process.env.MEMSHIM_PARITY_RUNS === undefined ? (['odd'] as const) : kinds)
      test(`${protocol}, ${kind}: ${runs} sequences, seed ${seed}`, {
        timeout: 60_000 + runs * 3_000,
      }, async () => {
        await checkSequences(pair, twins, pylibmcSequences(protocol === 'binary', kind))
      })
})
