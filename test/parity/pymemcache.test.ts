/**
 * Random sequences on the real pymemcache and on memshim/pymemcache side by side, on twin memcacheds. More:
 * `npm run fuzz:parity -- --runs 1000 --seed 7 -t pymemcache`.
 */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { installedPymemcache, skipped } from '../support/python-library.js'
import { checkSequences, runs, seed } from './check.js'
import { classes, kinds, pymemcachePair, pymemcacheSequences, timelines } from './pymemcache.js'
import type { Pair } from './run-sequence.js'
import { TwinServers } from './twin-servers.js'

const present = installedPymemcache.filter(({ python }) => python !== undefined)
/** The older version belongs to long runs. */
const compared = process.env.MEMSHIM_PARITY_RUNS === undefined ? present.slice(-1) : present

describe.skipIf(present.length === 0)(`pymemcache${present.length === 0 ? `: ${skipped}` : ''}`, () => {
  let twins: TwinServers
  beforeAll(async () => {
    twins = await TwinServers.start(3)
  })
  afterAll(async () => {
    await twins?.stop()
  })

  for (const library of compared)
    describe(`${library.version} and memshim/pymemcache`, () => {
      let pair: Pair
      beforeAll(async () => {
        pair = await pymemcachePair(library)
      })
      afterAll(async () => {
        await pair?.python.stop()
      })
      for (const kindOf of classes)
        for (const kind of kinds)
          test(
            `${kindOf}, ${kind}: ${runs} sequences, seed ${seed}`,
            {
              timeout: 60_000 + runs * 2000,
            },
            () => checkSequences(pair, twins, pymemcacheSequences(library.version, kind, kindOf)),
          )
      test(
        `HashClient, timelines of failing servers: ${runs}, seed ${seed}`,
        {
          timeout: 60_000 + runs * 5000,
        },
        () => checkSequences(pair, twins, timelines),
      )
    })
})
