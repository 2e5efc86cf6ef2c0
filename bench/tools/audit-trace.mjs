// A trace as a busy web application makes it, for measuring the audit: seeded, so that two runs measure the same work.
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A generator of numbers from 0 to 1 (mulberry32). */
function seeded(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Writes `operations` calls to `path`; returns the bytes written. */
export async function writeBusyTrace(path, operations, { seed = 16, clients = 8, keys = 50_000 } = {}) {
  const random = seeded(seed)
  const file = createWriteStream(path)
  let bytes = 0
  let piece = ''
  const line = async (row) => {
    piece += `${JSON.stringify(row)}\n`
    if (piece.length < 65_536) return
    bytes += piece.length
    const written = file.write(piece)
    piece = ''
    if (!written) await once(file, 'drain')
  }
  const servers = ['10.0.0.1:11211', '10.0.0.2:11211', '10.0.0.3:11211']
  await line({
    format: 'memshim-trace/1',
    library: 'python-memcached',
    version: '1.59',
    servers: servers.length,
    epoch: 1_795_000_000,
  })
  for (let i = 0; i < clients; i++)
    await line({ t: 0, client: `c${i}`, new: { servers, kwargs: { pickleProtocol: 2 } } })
  // A few keys take most of the calls, as in every cache.
  const key = () => Math.floor(keys * random() ** 3)
  const user = (n) => ({
    id: n,
    name: `user ${n}`,
    email: `user${n}@example.org`,
    groups: ['staff', 'editors', 'reviewers'].slice(0, n % 4),
    settings: { theme: n % 2 ? 'dark' : 'light', page: { $tuple: [n % 10, 25] } },
  })
  const page = (n) => `<html><title>page ${n}</title>${'<p>Lorem ipsum dolor sit amet.</p>'.repeat(n % 40)}`
  for (let i = 0; i < operations; i++) {
    const t = Number((i / 2000).toFixed(4))
    const client = `c${Math.floor(random() * clients)}`
    const n = key()
    const kind = random()
    if (kind < 0.55) await line({ t, client, call: 'get', args: [`user:${n}`], at: 'views.py:20' })
    else if (kind < 0.68)
      await line({ t, client, call: 'set', args: [`user:${n}`, user(n), 300], at: 'views.py:24' })
    else if (kind < 0.75)
      await line({ t, client, call: 'set', args: [`page:${n}`, page(n), 60], at: 'pages.py:7' })
    else if (kind < 0.83) await line({ t, client, call: 'get', args: [`page:${n}`], at: 'pages.py:5' })
    else if (kind < 0.9) {
      const names = Array.from({ length: 6 }, (_, j) => `user:${n + j}`)
      await line({ t, client, call: 'get_multi', args: [names], at: 'lists.py:12' })
    } else if (kind < 0.94)
      await line({ t, client, call: 'incr', args: [`hits:${n % 500}`], at: 'hits.py:3' })
    else if (kind < 0.96)
      await line({ t, client, call: 'set', args: [`hits:${n % 500}`, n], at: 'hits.py:5' })
    else if (kind < 0.98) await line({ t, client, call: 'delete', args: [`user:${n}`], at: 'views.py:31' })
    else if (kind < 0.99)
      await line({ t, client, call: 'add', args: [`lock:${n % 100}`, 1, 10], at: 'locks.py:4' })
    else await line({ t, client, call: 'set', args: [`flash:${n}`, 'saved', -1], at: 'flash.py:9' })
  }
  bytes += piece.length
  file.end(piece)
  await once(file, 'finish')
  return bytes
}

// node audit-trace.mjs FILE OPERATIONS
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , path, operations] = process.argv
  await writeBusyTrace(path, Number(operations))
}
