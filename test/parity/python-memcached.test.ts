/** The real python-memcached and the compat client through the same random sequences of operations on twin servers. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { installed, skipped } from '../support/python-library.js'
import { checkSequences, runs } from './check.js'
import { kinds, pythonMemcachedPair, sequences } from './python-memcached.js'
import type { Pair } from './run-sequence.js'
import { TwinServers, unlisted } from './twin-servers.js'

const versions = installed.filter(({ library }) => library === 'python-memcached')
const present = versions.filter(({ python }) => python !== undefined)

const missing = present.length === 0 ? skipped : await unlisted()

describe.skipIf(missing)(missing ?? 'random sequences', () => {
  let twins: TwinServers
  beforeAll(async () => {
    twins = await TwinServers.start(3)
  })
  afterAll(async () => {
    await twins?.stop()
  })

  for (const library of present) {
    describe(`python-memcached ${library.version} and compat`, () => {
      let pair: Pair
      beforeAll(async () => {
        pair = await pythonMemcachedPair(library)
      })
      afterAll(async () => {
        await pair?.python.stop()
      })

      const timeout = 60_000 + runs * 2000
      for (const kind of kinds)
        test(kind, { timeout }, () => checkSequences(pair, twins, sequences(library.version, kind)))
    })
  }
})
