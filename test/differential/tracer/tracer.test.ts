/**
 * The way a team takes: their Python program runs under the tracer with the real library on a real memcached, and its trace is
 * audited. What the tracer wrote is what the program did, and the program prints what it prints without the tracer.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { audit, readTrace, type Trace } from '../../../src/audit/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'
import { installed, skipped } from '../../support/python-library.js'
import { fixtures } from '../support/recordings.js'

const run = promisify(execFile)

const program = `
import sys
import memcache

mc = memcache.Client([sys.argv[1]])
print(mc.set("user:1", {"name": "Ada", "tags": ("a", 1.5)}, 60))
print(mc.get("user:1"))
print(mc.set("gone", 1, -1), mc.get("gone"))
print(mc.incr("missing"), mc.delete("missing"))
try:
    mc.get("a b")
except memcache.Client.MemcachedKeyCharacterError as error:
    print(type(error).__name__)
print(mc.set_multi({"a": 1, "b": b"two"}), sorted(mc.get_multi(["a", "b", "c"]).items()))
mc.disconnect_all()
`

const libraries = installed.filter(({ library }) => library === 'python-memcached')

describe.each(libraries)('python-memcached $version under the tracer', ({ version, python }) => {
  const folder = mkdtempSync(join(tmpdir(), 'memshim-tracer-'))
  let memcached: Memcached
  let trace: Trace
  const printed = { plain: '', traced: '' }

  beforeAll(async () => {
    if (!python) return
    memcached = await startMemcached()
    const script = join(folder, 'app.py')
    const file = join(folder, 'app.jsonl')
    writeFileSync(script, program)
    printed.plain = (await run(python, [script, memcached.address])).stdout
    const env = { ...process.env, MEMSHIM_TRACE: file, PYTHONPATH: join(fixtures, '..', 'python') }
    const traced = await run(python, ['-m', 'memshim_tracer', script, memcached.address], { env })
    printed.traced = traced.stdout
    expect(traced.stderr).toContain('0 not written')
    trace = await readTrace(file)
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true })
    await memcached?.stop()
  })

  it.skipIf(!python)(`the program notices nothing (${python ? 'live' : skipped})`, () => {
    expect(printed.traced).toBe(printed.plain)
    expect(printed.plain.split('\n')[0]).not.toBe('')
  })

  it.skipIf(!python)('the trace names the library, its version and every call in order', async () => {
    expect(trace.header).toMatchObject({ library: 'python-memcached', version })
    const calls: string[] = []
    for await (const event of trace.events()) if (event.kind === 'call') calls.push(event.call)
    expect(calls).toEqual('set get set get incr delete get set_multi get_multi disconnect_all'.split(' '))
  })

  it.skipIf(!python)('its audit repeats the program faithfully and explains every difference', async () => {
    const report = await audit(trace)
    expect(report.fidelity.findings).toEqual([])
    expect(report.unexplained).toEqual([])
    const found = report.switches.map((row) => row.switch)
    expect(found).toEqual(expect.arrayContaining(['missing-counter']))
    if (version !== '1.62') expect(found).toContain('missing-delete')
  })
})
