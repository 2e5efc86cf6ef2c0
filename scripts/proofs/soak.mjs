// The chaos soak: npm run soak -- --minutes 30 --seed 7
import { runBundled } from '../bundle.mjs'
import { ensureMemcached } from '../memcached.mjs'
import { ensureDependencies } from '../setup.mjs'

ensureDependencies()
const memcached = ensureMemcached()
const env = memcached.path ? { MEMSHIM_MEMCACHED: memcached.path } : {}
const options = ['--expose-gc', '--max-old-space-size=512']
process.exit(await runBundled('soak', 'test/soak/main.ts', options, process.argv.slice(2), env))
