// The fault matrix (docs/evidence/faults.md): plays every cell, then prints the table. With --write it rewrites the table and the page.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureMemcached } from '../memcached.mjs'
import { ensureDependencies, root } from '../setup.mjs'

ensureDependencies()
const memcached = ensureMemcached()
const writing = process.argv.includes('--write')
const done = spawnSync(
  process.execPath,
  [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', 'test/faults', '--reporter=dot'],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      ...(memcached.path ? { MEMSHIM_MEMCACHED: memcached.path } : {}),
      ...(writing ? { MEMSHIM_WRITE_FAULTS: '1' } : {}),
    },
  },
)
console.log(readFileSync(join(root, 'docs', 'evidence', 'faults.md'), 'utf8'))
process.exit(done.status ?? 1)
