/**
 * A program with every class of pymemcache's clients runs under the tracer on a real memcached; its trace is audited to the other version of
 * pymemcache, to python-memcached and to pylibmc. Expected values: what the real library did.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { audit, readTrace, type Trace, type TraceEvent } from '../../../src/audit/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'
import { installedPymemcache, skipped } from '../../support/python-library.js'
import { fixtures } from '../support/recordings.js'

const run = promisify(execFile)

const program = `
import sys
import threading
from pymemcache import serde
from pymemcache.client.base import Client, PooledClient
from pymemcache.client.hash import HashClient

host, port = sys.argv[1].rsplit(":", 1)
server = (host, int(port))
early = HashClient([server], use_pooling=True, ignore_exc=True, serde=serde.PickleSerde(2), retry_attempts=1)
if len(sys.argv) > 2:
    import memshim_tracer
    memshim_tracer.install(sys.argv[2])
from pymemcache.client.retrying import RetryingClient

print(early.set("k", {"a": 1}), early.get("k"), early.get_many(iter(["k"])))
one = Client(server, timeout=3, serde=serde.pickle_serde, default_noreply=False, key_prefix=b"p:")
print(one.set("a", 1, expire=60), one.get("a"), one.incr("a", 2))
print(one.set_many({"x": [1], "y": "t"}), sorted(one.get_many(["x", "y", "z"]).items()))
value, token = one.gets("a")
print(value, one.cas("a", 9, token), one.cas("a", 8, token), one.get("a"))
one["q"] = 5
print(one["q"])
del one["q"]
try:
    one["q"]
except KeyError:
    print("no q")
print(sorted(key for key in one.stats() if key == b"pid"))
pool = PooledClient(sys.argv[1], max_pool_size=4)
print(pool.set("b", "text"), pool.get("b"), pool.delete_many(["b", "c"]))
again = RetryingClient(one, attempts=3, retry_for=[ConnectionError])
print(again.set("r", 1), again.get("r"))
try:
    again.get("bad key")
except Exception as error:
    print(type(error).__name__)

def work(name):
    for i in range(5):
        # Without an answer the next get of this thread, on another connection, might overtake it.
        pool.set(name, str(i), noreply=False)
        pool.get(name)

threads = [threading.Thread(target=work, args=("thread-%d" % i,)) for i in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]

class Mine(HashClient):
    def get(self, key, default=None):
        return super().get("mine:" + key, default)

mine = Mine([sys.argv[1]], serializer=serde.python_memcache_serializer, deserializer=serde.python_memcache_deserializer)
print(mine.set("mine:k", 5), mine.get("k"))
mine.close()
`

describe.each(installedPymemcache)('pymemcache $version under the tracer', ({ version, python }) => {
  const folder = mkdtempSync(join(tmpdir(), 'memshim-tracer-'))
  let memcached: Memcached
  let trace: Trace
  const events: TraceEvent[] = []
  const printed = { plain: '', traced: '' }

  beforeAll(async () => {
    if (!python) return
    memcached = await startMemcached()
    const script = join(folder, 'app.py')
    const file = join(folder, 'app.jsonl')
    writeFileSync(script, program)
    printed.plain = (await run(python, [script, memcached.address])).stdout
    const env = { ...process.env, PYTHONPATH: join(fixtures, '..', 'python') }
    const traced = await run(python, [script, memcached.address, file], { env })
    printed.traced = traced.stdout
    expect(traced.stderr).toBe('')
    trace = await readTrace(file)
    for await (const event of trace.events()) events.push(event)
  }, 120_000)
  afterAll(async () => {
    rmSync(folder, { recursive: true })
    await memcached?.stop()
  })

  it.skipIf(!python)(`the program notices nothing (${python ? 'live' : skipped})`, () => {
    expect(printed.traced).toBe(printed.plain)
    expect(printed.plain).toContain('MemcacheIllegalInputError')
  })

  it.skipIf(!python)('the trace has every client by its class, with what its constructor was given', () => {
    expect(trace.header).toMatchObject({ library: 'pymemcache', version })
    const made = events.flatMap((event) => (event.kind === 'new' ? [event] : []))
    const given = { $bytes: 'p:' }
    const one = { timeout: 3, serde: 'pickle_serde', default_noreply: false, key_prefix: given }
    expect(made.map(({ class: kind, kwargs, inner }) => ({ kind, kwargs, inner }))).toEqual([
      {
        kind: 'HashClient',
        kwargs: { use_pooling: true, ignore_exc: true, serde: 'PickleSerde(2)', retry_attempts: 1 },
        inner: undefined,
      },
      { kind: 'Client', kwargs: one, inner: undefined },
      { kind: 'PooledClient', kwargs: { max_pool_size: 4 }, inner: undefined },
      {
        kind: 'RetryingClient',
        kwargs: { attempts: 3, retry_for: ['builtins.ConnectionError'] },
        inner: { class: 'Client', kwargs: one, positional: ['server'], container: 'tuple' },
      },
      {
        kind: 'HashClient',
        kwargs: { serializer: 'python_memcache_serializer', deserializer: 'python_memcache_deserializer' },
        inner: undefined,
      },
    ])
  })

  it.skipIf(!python)(
    'the trace has the calls of the application, and none that pymemcache makes itself',
    () => {
      const calls = (client: string) =>
        events.flatMap((event) => (event.kind === 'call' && event.client === client ? [event.call] : []))
      expect(calls('c1')).toEqual('set get get_many'.split(' '))
      expect(calls('c2')).toEqual(
        'set get incr set_many get_many gets cas cas get __setitem__ __getitem__ __delitem__ __getitem__ stats'.split(
          ' ',
        ),
      )
      expect(calls('c3').length).toBe(3 + 30)
      expect(calls('c4')).toEqual('set get get'.split(' '))
      expect(calls('c5')).toEqual('set get close'.split(' '))
    },
  )

  it.skipIf(!python)('an audit repeats the program, and both versions do the same', async () => {
    for (const to of ['pymemcache-3.5.2', 'pymemcache-4.0.0']) {
      const report = await audit(trace, { to })
      expect(report.fidelity.findings).toEqual([])
      expect(report.totals).toMatchObject({ differs: 0, unexplained: 0 })
      expect(report.settings).toMatchObject({ from: `pymemcache-${version}`, to })
    }
  })

  it.skipIf(!python).each(['python-memcached-1.59', 'python-memcached-1.62', 'pylibmc-1.6.3'])(
    'an audit to %s explains every difference, with the calls as they are and in its words',
    async (to) => {
      for (const calls of ['unchanged', 'repaired'] as const) {
        const report = await audit(trace, { to, calls, verify: true })
        expect(report.fidelity.findings).toEqual([])
        expect(report.unexplained).toEqual([])
        expect(report.verification!.sets.flatMap(({ refuted }) => refuted)).toEqual([])
        const found = report.switches.map((row) => row.switch)
        expect(found).toContain(calls === 'unchanged' ? 'constructor' : 'pymemcache-serde')
        if (calls === 'unchanged') expect(found).toContain('missing-method')
      }
    },
  )
})
