/** pylibmc's own test suite on memshim/strict, where Python, its packages, a compiler and memcached can be had. All others: `npm run suites`. */
import { describe, expect, it } from 'vitest'
import { memcachedBinary } from '../support/memcached.js'

const python = process.env.MEMSHIM_PYTHON_PYLIBMC
const memcached = memcachedBinary()
/** Packages are installed by the first run. */
const deadline = 600_000

describe('the suites of Python libraries, unmodified', () => {
  it.skipIf(!python || !memcached || process.platform !== 'linux')(
    'pylibmc 1.6.3: all 41 tests pass',
    async (context) => {
      const { runSuite, suites, Unavailable } = await import('./runner.mjs')
      const suite = suites.find(({ name }) => name === 'pylibmc 1.6.3')
      try {
        const row = await runSuite(suite!, { python: python!, memcached: memcached! })
        expect(row).toMatchObject({ tests: 41, real: 41, memshim: 41, differing: [] })
        expect(row.calls, 'calls that went through memshim').toBeGreaterThan(1000)
      } catch (error) {
        if (error instanceof Unavailable) context.skip(error.message)
        throw error
      }
    },
    deadline,
  )
})
