/**
 * Small traces of what breaks first when an application really switches. Each expected outcome was measured on pylibmc 1.6.3 with
 * memcached 1.6.18.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type AuditOptions,
  audit,
  expandPatterns,
  failures,
  type Outcome,
  parseOutage,
  readTrace,
  readTraces,
  renderHtml,
  renderTerminal,
} from '../../../src/audit/index.js'

const folder = mkdtempSync(join(tmpdir(), 'memshim-predictions-'))
afterAll(() => rmSync(folder, { recursive: true }))

type Line = Record<string, unknown>
const header = (servers: number, more: Line = {}): Line => ({
  format: 'memshim-trace/1',
  library: 'python-memcached',
  version: '1.59',
  servers,
  epoch: 1_795_883_000,
  ...more,
})
const created = (names: readonly string[] = ['a:1'], kwargs: Line = {}): Line => ({
  t: 0,
  client: 'c1',
  new: { servers: names, kwargs },
})
let time = 0
const call = (name: string, args: unknown[], result: unknown, kwargs: Line = {}): Line => {
  time += 0.1
  return {
    t: time,
    client: 'c1',
    call: name,
    args,
    kwargs,
    ...(result instanceof Error ? { raises: { class: result.message } } : { result }),
  }
}

function file(name: string, lines: readonly Line[]): string {
  time = 0
  const path = join(folder, name)
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return path
}

async function predicted(lines: readonly Line[], options: AuditOptions = {}) {
  const outcomes: string[] = []
  const trace = await readTrace(file('case.jsonl', lines))
  const report = await audit(trace, {
    longestWait: 60_000,
    ...options,
    onOperation: ({ strict }) => outcomes.push(text(strict)),
  })
  const causes = Object.fromEntries(report.switches.map((row) => [row.switch, row.impacts]))
  return { outcomes, report, causes }
}

const text = (outcome: Outcome): string =>
  'raises' in outcome ? outcome.raises.class.replace('builtins.', '') : JSON.stringify(outcome.result)

describe('what an unchanged application gets from pylibmc', () => {
  it.each([
    'debug',
    'cache_cas',
    'socket_timeout',
    'dead_retry',
    'pickleProtocol',
    'check_keys',
    'server_max_value_length',
  ])('the constructor keyword %s is a TypeError, and --fail-on any fails', async (name) => {
    const { outcomes, report } = await predicted([
      header(1),
      created(['a:1'], { [name]: 1 }),
      call('get', ['k'], null),
    ])
    expect(outcomes).toEqual(['TypeError', 'null'])
    expect(failures(report, ['any'])).toHaveLength(1)
  })

  it('a server with a weight as a tuple is an AttributeError', async () => {
    const lines = [
      header(1),
      { t: 0, client: 'c1', new: { servers: [{ $tuple: ['a:1', 2] }] } },
      call('get', ['k'], null),
    ]
    expect((await predicted(lines)).outcomes).toEqual(['AttributeError', 'null'])
  })

  it('a keyword is not the same as a position', async () => {
    const { outcomes } = await predicted([
      header(1),
      created(),
      call('set', ['k', 5], true),
      call('get', [], 5, { key: 'k' }),
      call('incr', ['k'], 6, { delta: 1 }),
      call('touch', ['k'], 1, { time: 60 }),
      call('touch', ['k'], 1),
      call('delete', ['k', 0], 1),
      call('delete_multi', [['k'], 0, 'p'], 1),
      call('get_multi', [{ $iterator: ['k'], $class: 'generator' }], {}),
      call('set', ['k', 1], true, { noreply: true }),
      call('get_slabs', [], new Error('builtins.TypeError')),
      call('get', ['k'], null),
    ])
    expect(outcomes).toEqual([
      'true', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'AttributeError', '5',
    ]) // biome-ignore format: one list
  })

  it('gets gives a pair, and cas takes its third argument for the CAS unique', async () => {
    const { outcomes, causes } = await predicted([
      header(1),
      created(['a:1'], { cache_cas: true }),
      call('set', ['k', 100, 60], true),
      call('gets', ['k'], 100),
      call('cas', ['k', 99, 60], true),
      call('cas', ['k', 99], true),
      call('get', ['k'], 99),
    ])
    expect(outcomes[1]).toBe('true')
    expect(outcomes[2]).toMatch(/^\{"\$tuple":\[100,\d+\]\}$/)
    expect(outcomes.slice(3)).toEqual(['false', 'TypeError', '100'])
    expect(Object.keys(causes)).toContain('gets-and-cas')
  })

  it('without keywords pylibmc takes the constructor as it is, without the behavior cas, and gets raises', async () => {
    const { outcomes } = await predicted([
      header(1),
      created(),
      call('set', ['k', 100], true),
      call('gets', ['k'], 100),
    ])
    expect(outcomes).toEqual(['true', 'ValueError'])
  })

  it.each([
    ['with the base type of the trace', { $base: '<b>x</b>' }],
    ['with the base type read from the pickle', {}],
  ])('an object of a str subclass comes back as str, %s', async (_, base) => {
    const safe = {
      $pickle: 'gASVOQAAAAAAAACMF2RqYW5nby51dGlscy5zYWZlc3RyaW5nlIwKU2FmZVN0cmluZ5STlIwIPGI+eDwvYj6UhZSBlC4=',
      ...base,
    }
    const { outcomes, causes } = await predicted([
      header(1),
      created(),
      call('set', ['k', safe, 60], true),
      call('get', ['k'], safe),
    ])
    expect(outcomes).toEqual(['true', '"<b>x</b>"'])
    expect(causes).toEqual({ subclasses: { state: 1, value: 1 } })
  })

  it('with several servers a boolean is explained by booleans; hashing counts the items that only have another server', async () => {
    const lines = [
      header(3),
      created(['a:1', 'b:1', 'c:1']),
      call('set', ['shop:1:flag:1', true, 60], true),
      call('get', ['shop:1:flag:1'], true),
    ]
    const { outcomes, causes, report } = await predicted(lines, { verify: true })
    expect(outcomes).toEqual(['true', '1'])
    expect(causes).toEqual({ booleans: { state: 1, spelling: 1 }, hashing: { state: 2 } })
    expect(report.switches[0]?.examples[0]?.impact).toBe('spelling')
    expect(report.verification?.sets).toMatchObject([{ switches: ['booleans'], confirmed: 1 }])
  })

  it('the behaviors of the target are compared: with hash=crc no key moves', async () => {
    const lines = () => [
      header(3),
      created(['a:1', 'b:1', 'c:1']),
      call('set', ['shop:1:flag:1', 'v', 60], true),
      call('get', ['shop:1:flag:1'], 'v'),
    ]
    expect((await predicted(lines())).causes).toEqual({ hashing: { state: 2 } })
    expect((await predicted(lines(), { behaviors: { hash: 'crc' } })).causes).toEqual({})
  })

  it('keys with blanks: None, left out, ClientError, and a connection out of step', async () => {
    const bad = () => new Error('memcache.MemcachedKeyCharacterError')
    const { outcomes, report } = await predicted([
      header(1),
      created(),
      call('set', ['k', 'v'], true),
      call('get', ['a b'], bad()),
      call('get_multi', [['a b', 'k']], bad()),
      call('delete', ['a b'], bad()),
      call('set', ['a b', 1], bad()),
      call('get', ['k'], 'v'),
      call('touch', ['k', 5], 1),
    ])
    expect(outcomes.slice(0, 6)).toEqual([
      'true',
      'null',
      '{"k":"v"}',
      'pylibmc.ClientError',
      'pylibmc.ClientError',
      'null',
    ])
    // What touch reads on a connection that is one reply behind is recorded (fixtures/vectors), so that no call is left undecided.
    expect(outcomes).toHaveLength(7)
    expect(report.risks).toEqual([])
  })

  it('negative times: as python-memcached over text, kept over the binary protocol, and a risk', async () => {
    const lines = () => [header(1), created(), call('set', ['k', 'v', -1], true), call('get', ['k'], null)]
    const asText = await predicted(lines())
    expect(asText.outcomes).toEqual(['true', 'null'])
    expect(asText.causes).toEqual({})
    expect(asText.report.risks).toMatchObject([{ name: 'documented-negative-timeout', count: 1 }])
    expect(renderTerminal(asText.report)).toContain('must not be relied on')
    expect(renderHtml(asText.report)).toContain('pylibmc differs from its documentation for negative times')
    expect((await predicted(lines(), { binary: true })).outcomes).toEqual(['true', '"v"'])
    expect((await predicted(lines(), { negativeTimeout: 'zero' })).outcomes).toEqual(['true', '"v"'])
  })

  it('for the repaired application only differences of meaning remain, not of the form of calls', async () => {
    const lines = [
      header(1),
      created(['a:1'], { debug: 1 }),
      call('set', ['k', 1], true),
      call('delete', ['k', 0], 1),
      call('get', [], null, { key: 'k' }),
    ]
    const { outcomes } = await predicted(lines, { calls: 'repaired' })
    expect(outcomes).toEqual(['true', 'true', 'null'])
  })
})

it.each([
  [{ behaviors: { hash: 'sha999' } }, 'behaviors: hash=sha999: pylibmc has no such hash'],
  [{ behaviors: { distribution: 'ring' } }, 'behaviors: distribution=ring: pylibmc has no such distribution'],
  [{ behaviors: { ketma: 1 } }, 'behaviors: unknown behavior names: ketma'],
  [{ targetOptions: { timeout: 3 } }, "targetOptions: the target is not pymemcache (to: 'pymemcache-4.0')"],
])('options that fit nothing are refused: %j', async (options, message) => {
  const trace = await readTrace(file('options.jsonl', [header(1), created(), call('get', ['k'], null)]))
  await expect(audit(trace, options as never)).rejects.toThrow(message)
})

describe('traces that say little', () => {
  it('an empty trace is an error that names the probable causes', async () => {
    const trace = await readTrace(file('none.jsonl', [header(1), created(['a:1'], { debug: 1 })]))
    await expect(audit(trace)).rejects.toThrow('has no operation')
  })

  it('a cut last line is left out with a note', async () => {
    const path = file('cut.jsonl', [header(1), created(), call('set', ['k', 1], true)])
    writeFileSync(path, '{"t":0.2,"client":"c1","ca', { flag: 'a' })
    const report = await audit(await readTrace(path))
    expect(report.totals.operations).toBe(1)
    expect(report.notes).toMatchObject([
      { text: expect.stringContaining('last line is incomplete'), line: 4 },
    ])
  })
})

describe('many files', () => {
  const part = (name: string, epoch: number, more: Line = {}, servers = ['a:1']) =>
    file(name, [
      header(1, { epoch, ...more }),
      created(servers),
      call('set', [name, 1], true),
      call('get', ['first.1.jsonl'], name === 'first.1.jsonl' ? 1 : null),
    ])

  it('patterns name them, and time puts them in order', async () => {
    part('first.1.jsonl', 1000)
    part('first.2.jsonl', 1000.05)
    const paths = await expandPatterns([join(folder, 'first.*.jsonl')])
    expect(paths).toHaveLength(2)
    const outcomes: string[] = []
    const report = await audit(await readTraces(paths), {
      onOperation: ({ strict, call, line }) => outcomes.push(`${line} ${call} ${text(strict)}`),
    })
    expect(outcomes).toEqual(['3 set true', '10000003 set true', '4 get 1', '10000004 get 1'])
    expect(report.trace).toMatchObject({ clients: 2, servers: 1 })
  })

  it.each([
    ['another version', { version: '1.62' }, ['a:1'], /field "version": is "1.62", but "1.59" in/],
    ['another source', { source: 'shop' }, ['a:1'], /field "source": is "shop", but null/],
    ['other servers', {}, ['z:1'], /its servers \(z:1\) are none of/],
  ] as const)('files of different applications are refused: %s', async (_, more, servers, message) => {
    const one = part('one.jsonl', 1000)
    const two = part('two.jsonl', 1000, more, [...servers])
    await expect(readTraces([one, two])).rejects.toThrow(message)
  })

  const shop = { program: '/srv/shop/manage.py' }
  const web = { program: 'gunicorn', folder: '/srv/shop', arguments: '01020304' }
  const news = { program: '/srv/news/manage.py' }
  it.each([
    ['another script', shop, news],
    ['a command in another folder', web, { ...web, folder: '/srv/news' }],
    ['a command with other arguments', web, { ...web, arguments: '05060708' }],
    ['another name', { ...shop, name: 'shop' }, { ...shop, name: 'news' }],
  ])(
    'files with the same servers and of %s are refused, but for --one-application',
    async (_, first, second) => {
      const one = part('one.jsonl', 1000, { application: first })
      const two = part('two.jsonl', 1000, { application: second })
      const words =
        /two.jsonl, line 1, field "application": is .*, but .* in one.jsonl: .*different applications.*--one-application/
      await expect(readTraces([one, two])).rejects.toThrow(words)
      const report = await audit(await readTraces([one, two], { oneApplication: true }))
      expect(report.trace.clients).toBe(2)
    },
  )

  it.each([
    ['the same script', shop, shop],
    ['the same command', web, web],
    ['one name, whatever the programs are', { ...web, name: 'shop' }, { ...shop, name: 'shop' }],
  ])('files of %s are merged without a warning', async (_, first, second) => {
    const one = part('one.jsonl', 1000, { application: first })
    const two = part('two.jsonl', 1000, { application: second })
    const report = await audit(await readTraces([one, two]))
    expect(JSON.stringify(report.notes)).not.toContain('cannot check whether')
  })

  it.each([
    ['two files', {}, {}],
    ['the second file', { application: shop }, {}],
    ['a file with a name only', { application: { name: 'shop' } }, { application: shop }],
  ])('a warning says that %s cannot be told apart', async (_, first, second) => {
    const report = await audit(
      await readTraces([part('one.jsonl', 1000, first), part('two.jsonl', 1000, second)]),
    )
    expect(JSON.stringify(report.notes)).toContain(
      'memshim cannot check whether all of these traces are of one application',
    )
  })

  it('files that do not name their programs are refused when no file of Python code makes calls in both', async () => {
    const at = (name: string, ...places: string[]) =>
      file(name, [
        header(1, { epoch: 1000 }),
        created(),
        ...places.map((place) => ({ ...call('get', ['k'], null), at: place })),
      ])
    const shop = at('one.jsonl', 'shop/views.py:3', 'shop/cart.py:9')
    await expect(readTraces([shop, at('two.jsonl', 'news/views.py:3')])).rejects.toThrow(
      /two.jsonl: its calls are made by news\/views.py, and those of one.jsonl by shop\/views.py, shop\/cart.py: .*different applications/,
    )
    for (const other of ['shop/cart.py:1', 'a test']) {
      const merged = await readTraces([shop, at('two.jsonl', other)])
      expect((await audit(merged)).trace.clients).toBe(2)
    }
  })

  it('files of different libraries are refused, also with --one-application', async () => {
    const one = part('one.jsonl', 1000)
    const two = part('two.jsonl', 1000, { library: 'pylibmc', version: '1.6.3' })
    await expect(readTraces([one, two], { oneApplication: true })).rejects.toThrow(
      'field "library": is "pylibmc", but "python-memcached" in one.jsonl: traces of different libraries',
    )
  })

  it('a pattern without a file is an error', async () => {
    await expect(expandPatterns([join(folder, 'nothing.*.jsonl')])).rejects.toThrow('no file has such a name')
  })
})

describe('servers that are down', () => {
  const names = ['a:1', 'b:1']
  const keys = Array.from({ length: 40 }, (_, i) => `key:${i}`)

  it('a supposed outage counts the calls and places that would raise', async () => {
    const lines = [
      header(2),
      created(names),
      ...keys.map((key) => call('set', [key, 1], true)),
      ...keys.map((key) => ({ ...call('get', [key], 1), at: `app.py:${key.length}` })),
    ]
    const { report } = await predicted(lines, {
      outages: [parseOutage('server 0: 4.05s-6s')],
      longestWait: 300,
    })
    expect(report.supposedOutages?.raises).toBeGreaterThan(0)
    expect(report.supposedOutages?.callSites[0]?.at).toMatch(/^app\.py/)
    expect(renderTerminal(report)).toContain('server 0 is down from 4.05 s to 6 s')
  })

  it.each(['server 0', 'server 0: 5s-2s', '5s-10s', 'server x: 1-2'])('%s is not an outage', (text) => {
    expect(() => parseOutage(text)).toThrow("'server 0: 5s-10s' is needed")
  })

  it('an outage that was recorded is found, with a confidence', async () => {
    // Stores that return 0 although nothing is wrong with them: only a failing server does that.
    const servers = new Map<string, number>()
    await audit(
      await readTrace(
        file('probe.jsonl', [header(2), created(names), ...keys.map((key) => call('set', [key, 1], true))]),
      ),
      {
        onOperation: ({ keys: [key = ''], sourceServer = -1 }) => servers.set(key, sourceServer),
      },
    )
    const lines = [
      header(2),
      created(names),
      ...keys.map((key) => call('set', [key, 1], servers.get(key) === 1 ? 0 : true)),
    ]
    const { report } = await predicted(lines)
    expect(report.foundOutages).toMatchObject([{ server: 1, confidence: 'high' }])
    expect(renderTerminal(report)).toContain('Server 1 seems to have been down')
    expect(renderHtml(report)).toContain('Server 1 seems to have been down')
    expect(
      (await predicted([header(2), created(names), ...keys.map((key) => call('set', [key, 1], true))])).report
        .foundOutages,
    ).toEqual([])
  })
})
