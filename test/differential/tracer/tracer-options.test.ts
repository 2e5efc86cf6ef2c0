/**
 * The tracer with the real python-memcached on a real memcached: processes that fork, the hook of `--enable`, and every option.
 * Servers of applications (gunicorn, uWSGI, runserver, Celery) are in test/deployments/, which takes minutes.
 */
import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { audit, type CallEvent, readTrace, readTraces } from '../../../src/audit/index.js'
import { pythonText } from '../../../src/audit/report/abridge.js'
import { fromTypedJson, PyDecimal } from '../../../src/values/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'
import { installed, skipped } from '../../support/python-library.js'
import { fixtures } from '../support/recordings.js'

const run = promisify(execFile)
const tracer = join(fixtures, '..', 'python')
const python = installed.find(({ version }) => version === '1.59')?.python

const start = `
import os, sys, time
import memcache
mc = memcache.Client([os.environ["SERVER"]])
`
const forking = `
import multiprocessing
mc.set("parent", os.getpid())
def child():
    mc.set("child", os.getpid())
    os._exit(0)
workers = [multiprocessing.get_context("fork").Process(target=child) for _ in range(3)]
for worker in workers: worker.start()
for worker in workers: worker.join()
mc.get("parent")
`

describe.skipIf(!python)(`the tracer (${python ? 'live' : skipped})`, () => {
  let memcached: Memcached
  let folder: string
  beforeAll(async () => {
    memcached = await startMemcached()
  })
  afterAll(() => memcached?.stop())
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'memshim-tracer-'))
    return () => rmSync(folder, { recursive: true })
  })

  async function execute(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const env = {
      ...process.env,
      PYTHONPATH: tracer,
      PYTHONDONTWRITEBYTECODE: '1',
      SERVER: memcached.address,
      ...environment,
    }
    try {
      return await run(python!, args, { env, cwd: folder })
    } catch (error) {
      // The message of a failed command does not say how it ended.
      const ended = error as Error & { code?: number; signal?: string }
      ended.message += ` (code ${ended.code}, signal ${ended.signal})`
      throw ended
    }
  }

  /** Runs a program under the tracer. */
  function traced(program: string, environment: Readonly<Record<string, string>> = {}) {
    writeFileSync(join(folder, 'app.py'), start + program)
    const path = join(folder, 'app.jsonl')
    return execute(['-m', 'memshim_tracer', 'app.py'], { MEMSHIM_TRACE: path, ...environment })
  }

  const traces = () =>
    readdirSync(folder)
      .filter((name) => name.includes('.jsonl'))
      .sort()

  async function callsOf(name: string): Promise<CallEvent[]> {
    const calls: CallEvent[] = []
    const trace = await readTrace(join(folder, name))
    for await (const event of trace.events()) if (event.kind === 'call') calls.push(event)
    return calls
  }

  const words = (calls: readonly CallEvent[]) => calls.map(({ call, args }) => `${call} ${args[0]}`)

  it('a process that forks continues in its own file, each child has its own, and no other user may read them', async () => {
    const { stderr } = await traced(forking)
    const [own, ...children] = traces().sort((a, b) => a.length - b.length)
    expect(own).toBe('app.jsonl')
    expect(words(await callsOf(own!))).toEqual(['set parent', 'get parent'])
    expect(children).toHaveLength(3)
    for (const child of children) {
      const calls = await callsOf(child)
      expect(words(calls)).toEqual(['set child'])
      expect(child).toBe(`app.${calls[0]!.args[1]}.jsonl`)
    }
    for (const name of traces()) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
    expect(stderr).toMatch(/process \d+: 2 calls of 1 client, 0 not written: .*app\.jsonl\n/)
    expect(stderr).toContain('other processes wrote 3 files')
  })

  it('says which application a process is of: the script, or a name; two scripts with one cache are not merged', async () => {
    const of = async (script: string, environment: Readonly<Record<string, string>> = {}) => {
      writeFileSync(join(folder, script), `${start}mc.set("a", 1)\n`)
      const path = join(folder, `${script}.jsonl`)
      await execute(['-m', 'memshim_tracer', script, '--password=secret'], {
        MEMSHIM_TRACE: path,
        ...environment,
      })
      return path
    }
    const [shop, news] = [await of('shop.py'), await of('news.py')]
    const program = realpathSync(join(folder, 'shop.py'))
    expect((await readTrace(shop)).header.application).toEqual({ program })
    await expect(readTraces([shop, news])).rejects.toThrow(
      /news\.py, but .*shop\.py in .*different applications/,
    )
    await readTraces([
      await of('other.py', { MEMSHIM_TRACE_APPLICATION: 'shop' }),
      await of('web.py', { MEMSHIM_TRACE_APPLICATION: 'shop' }),
    ])
    // An installed command is told from another one by its folder and a checksum of its arguments.
    mkdirSync(join(folder, 'bin'))
    const command = await of('bin/serve')
    const { application } = (await readTrace(command)).header
    expect(application).toEqual({
      program: 'serve',
      folder: realpathSync(folder),
      arguments: expect.stringMatching(/^[0-9a-f]{8}$/),
    })
    expect(JSON.stringify(application)).not.toContain('secret')
  })

  it('no thread of the tracer is left when the interpreter ends, because Python crashes when a thread gets its first turn after that', async () => {
    // Functions of atexit run in the reverse order: this one counts after the tracer has ended.
    const program = `${start}import atexit, memshim_tracer
def count():
    until = time.time() + 10
    while len(sys._current_frames()) > 1 and time.time() < until: time.sleep(0.01)
    print(len(sys._current_frames()))
atexit.register(count)
memshim_tracer.LONGEST_WAIT = 60
memshim_tracer.install("app.jsonl")
for number in range(3): mc.set("k", number)
print(any(output.flusher for output in memshim_tracer._session.here()))
`
    writeFileSync(join(folder, 'app.py'), program)
    const { stdout } = await execute(['app.py'])
    expect(stdout.split('\n')).toEqual(['True', '1', ''])
    expect(words(await callsOf('app.jsonl'))).toEqual(['set k', 'set k', 'set k'])
  })

  it('a parent that made no call says so and leaves no file', async () => {
    const { stderr } = await traced(
      `
if os.fork() == 0:
    mc = memcache.Client([os.environ["SERVER"]])
    mc.get("child")
    sys.exit(0)
os.wait()
`.replace('mc = ', 'mc = '),
    )
    expect(stderr).toMatch(/process \d+: 0 calls of 1 client/)
    rmSync(folder, { recursive: true })
    folder = mkdtempSync(join(tmpdir(), 'memshim-tracer-'))
    writeFileSync(join(folder, 'none.py'), 'print("nothing")')
    const none = await execute(['-m', 'memshim_tracer', 'none.py'], {
      MEMSHIM_TRACE: join(folder, 'app.jsonl'),
    })
    expect(none.stderr).toContain(
      'itself called no client of python-memcached, pylibmc or pymemcache, and wrote no trace',
    )
    expect(traces()).toEqual([])
  })

  it('--enable traces every process in which MEMSHIM_TRACE is set, --disable ends it', async () => {
    const venv = join(folder, 'venv')
    const library = execFileSync(python!, ['-c', 'import memcache; print(memcache.__file__)'], {
      encoding: 'utf8',
    })
    execFileSync(python!, ['-m', 'venv', '--without-pip', venv])
    const own = join(venv, 'bin', 'python')
    // Python compiles what it imports, unless the machine's settings say otherwise.
    const { PYTHONDONTWRITEBYTECODE: _, ...machine } = process.env
    const env = { ...machine, SERVER: memcached.address, PYTHONPATH: join(library.trim(), '..') }
    const manage = async (word: string) =>
      (await run(own, [join(tracer, 'memshim_tracer.py'), word], { env: { ...env, PYTHONPATH: tracer } }))
        .stderr
    writeFileSync(join(folder, 'app.py'), `${start}mc.set("k", 1)`)
    const app = (trace?: string) =>
      run(own, ['app.py'], { cwd: folder, env: { ...env, ...(trace ? { MEMSHIM_TRACE: trace } : {}) } })

    expect(await manage('--enable')).toContain('enabled')
    await app()
    expect(traces()).toEqual([])
    const noise = await app('app.jsonl')
    expect(noise.stderr).toBe('')
    await app('app.jsonl')
    expect(traces()).toHaveLength(2)
    for (const name of traces()) {
      expect(name).toMatch(/^app\.\d+\.jsonl$/)
      expect(words(await callsOf(name))).toEqual(['set k'])
    }
    expect(await manage('--disable')).toContain('disabled')
    await app('app.jsonl')
    expect(traces()).toHaveLength(2)
    const left = readdirSync(join(venv, 'lib'), { recursive: true }).map(String)
    expect(left.filter((name) => name.includes('memshim'))).toEqual([])
  })

  it('install() leaves the file of a living process alone, and keeps an older trace under another name', async () => {
    const program = `${start}import memshim_tracer, subprocess
memshim_tracer.install("app.jsonl")
mc.set(sys.argv[1], 1)
if len(sys.argv) > 2: subprocess.check_call([sys.executable, "app.py", sys.argv[2]])
mc.get(sys.argv[1])
`
    writeFileSync(join(folder, 'app.py'), program)
    await execute(['app.py', 'first', 'second'])
    expect(traces()).toHaveLength(2)
    expect(words(await callsOf('app.jsonl'))).toEqual(['set first', 'get first'])
    await execute(['app.py', 'third'])
    expect(words(await callsOf('app.jsonl'))).toEqual(['set third', 'get third'])
    const all = await Promise.all(traces().map(async (name) => (await callsOf(name))[0]!.args[0]))
    expect(all.sort()).toEqual(['first', 'second', 'third'])
  })

  it('a trace that cannot be written is reported once and never disturbs the application', async () => {
    chmodSync(folder, 0o700)
    writeFileSync(
      join(folder, 'app.py'),
      `${start}import memshim_tracer
memshim_tracer.install("app.jsonl")
output = memshim_tracer._session.here()[0]
os.close(output.file)
output.file = os.open("app.py", os.O_RDONLY)
for i in range(100): mc.set("k", i)
print(mc.get("k"))
`,
    )
    const { stdout, stderr } = await execute(['app.py'])
    expect(stdout.trim()).toBe('99')
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^memshim_tracer: process \d+ cannot write its trace: /),
    ])
    const impossible = await execute(['-m', 'memshim_tracer', 'app.py'], { MEMSHIM_TRACE: folder }).catch(
      (error) => error,
    )
    expect([impossible.code, impossible.stderr]).toEqual([2, expect.stringContaining('Is a directory')])
  })

  it.each([
    ['MEMSHIM_TRACE_MAX_BYTES', 'much', /max_bytes is 'much'/],
    ['MEMSHIM_TRACE_FILES', '0', /files is 0: a number from 1/],
    ['MEMSHIM_TRACE_SAMPLE', '2', /sample is 2: a number from 0 to 1/],
    ['MEMSHIM_TRACE_REDACT', 'maybe', /MEMSHIM_TRACE_REDACT is 'maybe': 1 or 0/],
  ])('%s=%s is an error that names it', async (name, value, message) => {
    const error = await traced('', { [name]: value }).catch((error) => error)
    expect([error.code, error.stderr]).toEqual([2, expect.stringMatching(message)])
  })

  const many = `
for i in range(400):
    mc.set("user:%d" % i, {"name": "Ada %d" % i, "n": i})
    mc.get("user:%d" % i)
mc.set_multi(dict(("m%d" % i, i) for i in range(50)), key_prefix="p:")
mc.get_multi(["m%d" % i for i in range(50)], key_prefix="p:")
mc.flush_all()
`

  it('a size cap begins new files, keeps the newest, and each of them can be audited', async () => {
    await traced(many, { MEMSHIM_TRACE_MAX_BYTES: '30000', MEMSHIM_TRACE_FILES: '2' })
    const names = traces()
    expect(names).toHaveLength(2)
    for (const name of names) {
      expect(statSync(join(folder, name)).size).toBeLessThan(120_000)
      const report = await audit(await readTrace(join(folder, name)))
      expect(report.trace.clients).toBe(1)
      expect(report.notes.filter(({ text }) => text.includes('no "new" line'))).toEqual([])
    }
    const last = (await Promise.all(names.map(callsOf))).flat()
    expect(last.at(-1)!.call).toBe('flush_all')
  })

  it('gzip holds the same calls, also when the process was killed', async () => {
    await traced(many)
    const plain = words(await callsOf('app.jsonl'))
    await traced(many, { MEMSHIM_TRACE: join(folder, 'packed.jsonl.gz') })
    expect(words(await callsOf('packed.jsonl.gz'))).toEqual(plain)
    expect(readFileSync(join(folder, 'packed.jsonl.gz')).subarray(0, 2).toString('hex')).toBe('1f8b')
    const kill = `${many}time.sleep(5)\n`
    await expect(
      traced(kill.replace('time.sleep(5)', 'time.sleep(1); os.kill(os.getpid(), 9)'), {
        MEMSHIM_TRACE: join(folder, 'killed.jsonl.gz'),
      }),
    ).rejects.toThrow()
    expect(words(await callsOf('killed.jsonl.gz'))).toEqual(plain)
  })

  it('sampling takes whole keys: every call of a key or none, in single and multi calls', async () => {
    await traced(many)
    const every = await callsOf('app.jsonl')
    await traced(many, { MEMSHIM_TRACE_SAMPLE: '0.25' })
    const some = await callsOf('app.jsonl')
    const single = (calls: readonly CallEvent[], call: string) =>
      calls.filter((event) => event.call === call).map(({ args }) => args[0])
    const stored = single(some, 'set')
    expect(stored).toEqual(single(some, 'get'))
    expect(stored.length).toBeGreaterThan(50)
    expect(stored.length).toBeLessThan(200)
    expect(single(every, 'set')).toHaveLength(400)
    const [mapping, list] = some.filter(({ call }) => call.endsWith('_multi'))
    const kept = Object.keys(mapping!.args[0] as object)
    expect(kept.length).toBeGreaterThan(1)
    expect(kept.length).toBeLessThan(40)
    expect(list!.args[0]).toEqual(kept)
    expect(list!.outcome).toEqual({ result: mapping!.args[0] })
    expect(some.at(-1)!.call).toBe('flush_all')
    const report = await audit(await readTrace(join(folder, 'app.jsonl')))
    expect(report.fidelity.findings).toEqual([])
    expect(report.notes.map(({ text }) => text)).toContainEqual(expect.stringContaining('25 % of the keys'))
    await traced('mc.get_multi(iter(["m%d" % i for i in range(50)]), key_prefix="p:")', {
      MEMSHIM_TRACE_SAMPLE: '0.25',
    })
    const [iterator] = await callsOf('app.jsonl')
    expect(iterator!.args[0]).toEqual({ $iterator: kept, $class: 'list_iterator' })
  })

  it('redaction keeps type, length and flags, and the audit accepts the redacted trace', async () => {
    await traced(
      `
import datetime, decimal
class Text(str): pass
values = [u"secret", u"secr\\u00e9t \\u20ac", b"secret", "4111111111111111", 4111111111111111, -42, 1.5, True, None,
          {"secret": "secret"}, ["secret"] * 300, ["secret"], ("secret", "secret"), ("secret",), decimal.Decimal("41111"), datetime.date(1999, 1, 2), Text("secret")]
for i, value in enumerate(values):
    mc.set("k%d" % i, value)
    mc.get("k%d" % i)
mc.set_multi({"secretless": "secret"})
mc.get_multi(["secretless"])
mc.incr("k4")
try: mc.get("a secret key".replace("secret ", ""))
except Exception: pass
`,
      { MEMSHIM_TRACE_REDACT: '1' },
    )
    const lines = readFileSync(join(folder, 'app.jsonl'), 'utf8').split('\n').slice(1)
    // Without the times, whose digits may be any.
    const text = lines.map((line) => line.replace(/"t":[\d.]+/, '')).join('\n')
    const pickles = [...text.matchAll(/"\$pickle":"([^"]*)"/g)].map(([, data]) =>
      Buffer.from(data!, 'base64').toString('latin1'),
    )
    for (const secret of ['secret"', 'secr\\u', '411111', '1999', '-42', '07cf']) {
      expect(text).not.toContain(secret)
      expect(pickles.join()).not.toContain(secret.replace('"', ''))
    }
    const stored = (await callsOf('app.jsonl'))
      .filter(({ call }) => call === 'set')
      .map(({ args }) => args[1])
    expect(stored.slice(0, 9)).toEqual([
      'xxxxxx',
      expect.stringMatching(/^.{8}$/u),
      { $bytes: 'xxxxxx' },
      '1000000000000000',
      1000000000000000,
      -10,
      { $float: '1.0' },
      true,
      null,
    ])
    expect(stored[14]).toMatchObject({ $repr: '<decimal.Decimal, redacted>' })
    expect(stored[16]).toMatchObject({ $base: 'xxxxxx' })
    const report = await audit(await readTrace(join(folder, 'app.jsonl')))
    expect(report.fidelity.findings).toEqual([])
    expect(report.unexplained).toEqual([])
    expect(report.notes.map(({ text }) => text)).toContainEqual(expect.stringContaining('redacted'))
  })

  it('Decimals are written by their text, alone, in small containers and in long lists', async () => {
    await traced(`
from decimal import Decimal
class Money(Decimal): pass
values = [Decimal(text) for text in ("12.50", "-0", "1E+5", "0E-7", "NaN", "sNaN123", "-Infinity", "9" * 40)]
stored = values + [{"price": Decimal("1.5"), "tags": [Decimal("2")]}, values, values * 20, tuple(values * 20), [values * 20], Money("3.5")]
for i, value in enumerate(stored):
    mc.set("k%d" % i, value)
    mc.get("k%d" % i)
`)
    const calls = await callsOf('app.jsonl')
    const stored = calls.filter(({ call }) => call === 'set').map(({ args }) => args[1])
    const texts = ['12.50', '-0', '1E+5', '0E-7', 'NaN', 'sNaN123', '-Infinity', '9'.repeat(40)]
    const decimals = texts.map((text) => ({ $decimal: text }))
    expect(stored.slice(0, 10)).toEqual([
      ...decimals,
      { price: { $decimal: '1.5' }, tags: [{ $decimal: '2' }] },
      decimals,
    ])
    const long = Array.from({ length: 20 }, () => decimals).flat()
    expect(stored.slice(10, 13)).toEqual([long, { $pickle: expect.any(String) }, [long]])
    expect(pythonText(stored[13]!)).toContain('Money')
    expect(fromTypedJson(stored[8]!)).toEqual(
      new Map<string, unknown>([
        ['price', new PyDecimal('1.5')],
        ['tags', [new PyDecimal('2')]],
      ]),
    )
    const report = await audit(await readTrace(join(folder, 'app.jsonl')))
    expect(report.fidelity.findings).toEqual([])
    expect(report.unexplained).toEqual([])
  })

  it('subclasses of text and numbers are written with the same value as the built-in type', async () => {
    await traced(`
import enum
class Safe(str): pass
class Level(enum.IntEnum): HIGH = 7
class Real(float): pass
for value in Safe("<b>"), Level.HIGH, Real(1.5): mc.set("k", value)
`)
    const stored = (await callsOf('app.jsonl')).map(({ args }) => args[1])
    expect(stored).toMatchObject([{ $base: '<b>' }, { $base: 7 }, { $base: { $float: '1.5' } }])
  })

  it('its locks are those of real threads when gevent replaces the classes of threading', async () => {
    writeFileSync(join(folder, 'app.py'), start)
    await traced(`import threading, memshim_tracer
threading._CRLock = None
mc.set("k", type(memshim_tracer._lock()).__module__)
`)
    const [stored] = await callsOf('app.jsonl')
    expect(stored!.args[1]).toBe('_thread')
  })

  it('the place of a call is the application, and the frameworks between are named', async () => {
    writeFileSync(join(folder, 'app.py'), start)
    const site = join(folder, 'site-packages', 'cachelib')
    execFileSync('mkdir', ['-p', site, join(folder, 'site-packages', 'cachelib-0.13.0.dist-info')])
    writeFileSync(join(site, '__init__.py'), '')
    writeFileSync(join(site, 'memcached.py'), 'def get(mc, key):\n    return mc.get(key)\n')
    await traced(
      `sys.path.insert(0, "site-packages")
from cachelib import memcached
memcached.get(mc, "k")
mc.get("k")
`,
    )
    const [inside, direct] = await callsOf('app.jsonl')
    expect(inside).toMatchObject({ at: 'app.py:7', via: ['cachelib.memcached:get'] })
    expect(direct).toMatchObject({ at: 'app.py:8' })
    expect(direct).not.toHaveProperty('via')
    const { header } = await readTrace(join(folder, 'app.jsonl'))
    expect(header.frameworks).toEqual({ cachelib: '0.13.0' })
  })
})
