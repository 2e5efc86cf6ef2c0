import { describe, expect, it } from 'vitest'
import { audit } from '../audit.js'
import { AuditOptionsError } from '../options.js'
import { renderTerminal } from '../render/terminal.js'
import { parseEvent, parseHeader } from '../traces/parse.js'
import type { Trace } from '../traces/trace.js'
import { traceOf } from '../traces/trace-file.js'
import { outcomeWord } from './outcome-words.js'
import { nearestVersion, recordedFrameworks } from './recorded.js'

const backend = 'django.core.cache.backends.memcached'

function trace(frameworks: object, ...lines: readonly object[]): Trace {
  const header = {
    format: 'memshim-trace/1',
    library: 'python-memcached',
    version: '1.59',
    servers: 1,
    frameworks,
  }
  const created = { t: 0, client: 'c', new: { servers: ['127.0.0.1:1'], kwargs: {} } }
  const events = [created, ...lines].map((line, i) =>
    parseEvent(JSON.stringify({ t: 0, client: 'c', args: [], ...line }), i + 2),
  )
  return traceOf('made.jsonl', parseHeader(JSON.stringify(header)), events)
}

const missingCounter = { call: 'incr', args: ['missing'], via: [`${backend}:incr`], result: null }
const missingDelete = { call: 'delete', args: ['missing'], result: 1 }
const oversize = {
  call: 'set',
  args: ['big', { $repeat: ['x', 3000000] }],
  via: [`${backend}:set`],
  result: 0,
}

describe('the framework view', () => {
  it('a difference that the framework absorbs does not reach the application and comes last', async () => {
    const report = await audit(trace({ Django: '4.0.10' }, missingCounter, missingDelete, oversize))
    expect(report.frameworks).toMatchObject({
      frameworks: [{ name: 'Django', traced: '4.0.10', before: '4.0.10', after: '4.0.10' }],
      differences: 3,
      reaching: 2,
      absorbed: 1,
      unknown: 0,
      switches: { 'missing-counter': { reaching: 0, absorbed: 1 }, oversize: { reaching: 1, absorbed: 0 } },
      examples: [{ call: "incr('missing')", via: `${backend}:incr` }],
    })
    // Without the view it is the other way round: both raise, and the counter comes first in the trace.
    expect(report.switches.at(-1)!.switch).toBe('missing-counter')
    const text = renderTerminal(report, { width: 140 })
    expect(text).toContain(
      '3 differences at the library; 2 reach the application (1 raises at 1 place); 1 is absorbed',
    )
    expect(text).toContain('absorbed by the framework: the application sees no difference')
  })

  it('the same difference without a framework reaches the application', async () => {
    const { via: _, ...direct } = missingCounter
    const report = await audit(trace({ Django: '4.0.10' }, direct))
    expect(report.frameworks).toMatchObject({ differences: 1, reaching: 1, absorbed: 0, unknown: 0 })
  })

  it.each([undefined, 'pymemcache-4.0'])(
    'a call that %s does not have is made by the backend in its form, and later calls see its effect',
    async (to) => {
      const set = { call: 'set', args: ['k', 1], via: [`${backend}:set`], result: true }
      const removed = { call: '_deletetouch', args: [[{ $bytes: 'DELETED' }], 'delete', 'k'], result: 1 }
      const get = { call: 'get', args: ['k'], via: [`${backend}:get`], result: null }
      const given = (via: object) => trace({ Django: '4.0.10' }, set, { ...removed, ...via }, get)
      const behind = await audit(given({ via: [`${backend}:delete`] }), { to })
      expect(behind.frameworks!.switches['missing-method']).toEqual({ reaching: 0, absorbed: 1 })
      // The application itself makes the call: it raises, and the item stays.
      const own = await audit(given({}), { to })
      expect(own.frameworks!.switches['missing-method']).toEqual({ reaching: 2, absorbed: 0 })
    },
  )

  it('a client of a framework is constructed as the framework does for pylibmc; configured settings reach the constructor', async () => {
    const made = (kwargs: object) => ({
      new: { servers: ['127.0.0.1:1'], kwargs },
      via: [`${backend}:_cache`],
      args: undefined,
    })
    const report = await audit(
      trace({ Django: '4.0.10' }, made({ pickleProtocol: 5 }), made({ pickleProtocol: 5, dead_retry: 3 }), {
        call: 'get',
        args: ['k'],
        result: null,
      }),
    )
    expect(report.frameworks).toMatchObject({ differences: 2, absorbed: 1, reaching: 1 })
  })

  it('a difference without a recording counts as reaching the application, and is named', async () => {
    const report = await audit(
      trace({ Django: '4.0.10' }, { ...missingCounter, via: [`${backend}:new_method`] }),
    )
    expect(report.frameworks).toMatchObject({ reaching: 1, unknown: 1, absorbed: 0 })
  })

  it('the outermost recorded function decides: a session that is read is empty if get raises', async () => {
    const down = { t: 1, fault: 'down', server: 0, client: undefined, args: undefined }
    const get = { t: 1, call: 'get', args: ['s'], result: null }
    const load = 'django.contrib.sessions.backends.cache:load'
    const report = await audit(
      trace(
        { Django: '4.0.10' },
        down,
        { ...get, via: [`${backend}:get`, load] },
        { ...get, via: [`${backend}:get`] },
      ),
    )
    expect(report.frameworks).toMatchObject({ differences: 2, absorbed: 1, reaching: 1 })
  })

  it('the target may be pymemcache: what Django absorbs of it, and what it passes on', async () => {
    const trailing = { call: 'flush_all', args: [], via: [`${backend}:clear`], result: null }
    const many = { call: 'delete_multi', args: [['x']], via: [`${backend}:delete_many`], result: 1 }
    const given = trace({ Django: '4.0.10' }, missingCounter, many, trailing, oversize)
    const report = await audit(given, { to: 'django-5.1:PyMemcacheCache' })
    expect(report.frameworks).toMatchObject({
      frameworks: [{ name: 'Django', traced: '4.0.10', before: '4.0.10', after: '5.1.7' }],
      reaching: 1,
      absorbed: 1,
      unknown: 0,
      switches: { 'pymemcache-results': { absorbed: 1 }, 'pymemcache-oversize': { reaching: 1 } },
    })
  })

  it('the application may be one of pymemcache: a counter that pylibmc misses raises ValueError behind Django as before', async () => {
    const header = {
      format: 'memshim-trace/1',
      library: 'pymemcache',
      version: '4.0.0',
      servers: 1,
      frameworks: { Django: '5.1.7' },
    }
    const lines = [
      { new: { servers: ['127.0.0.1:1'], class: 'HashClient', kwargs: { default_noreply: false } } },
      { ...missingCounter, args: ['missing', 1] },
    ]
    const events = lines.map((line, i) =>
      parseEvent(JSON.stringify({ t: 0, client: 'c', args: 'new' in line ? undefined : [], ...line }), i + 2),
    )
    const given = traceOf('made.jsonl', parseHeader(JSON.stringify(header)), events)
    const report = await audit(given, { to: 'django-5.1:PyLibMCCache' })
    expect(report.frameworks).toMatchObject({ absorbed: 1, reaching: 0, unknown: 0 })
  })

  it.each([
    [undefined, '4.0.10', '4.0.10'],
    ['Django==5.2', '4.0.10', '5.2'],
    ['django==4.2.99', '4.0.10', '4.2.20'],
  ])('--framework %s compares Django %s with %s', async (framework, before, after) => {
    const report = await audit(trace({ Django: '4.0.99' }, missingCounter), { framework })
    expect(report.frameworks!.frameworks).toEqual([{ name: 'Django', traced: '4.0.99', before, after }])
    expect(report.frameworks!.absorbed).toBe(1)
  })

  it.each(['Django==99', 'Django==6.1', 'Django==1.11', 'cachelib==1'])(
    '--framework %s is not recorded',
    async (framework) => {
      await expect(audit(trace({ Django: '4.0.99' }, missingCounter), { framework })).rejects.toThrow(
        `framework ${framework} is not recorded: give one of `,
      )
    },
  )

  it('none switches it off; a trace without frameworks has none', async () => {
    expect(
      (await audit(trace({ Django: '4.0.10' }, missingCounter), { framework: 'none' })).frameworks,
    ).toBeUndefined()
    expect((await audit(trace({}, missingCounter))).frameworks).toBeUndefined()
  })

  it.each(['rails', '', 'Django==', 'Django==x', '==5.2'])(
    'framework %j is an error that names what there is',
    async (framework) => {
      const done = audit(trace({}, missingCounter), { framework })
      await expect(done).rejects.toThrow(AuditOptionsError)
      await expect(done).rejects.toThrow('Django, Flask-Caching, cachelib, dogpile.cache, Beaker')
    },
  )
})

describe('the recorded table', () => {
  it('has every framework on every library for which it has a backend', () => {
    for (const { name, rows, versions, absent } of recordedFrameworks) {
      expect(versions.length, name).toBeGreaterThan(0)
      const libraries = (['python-memcached', 'pylibmc', 'pymemcache'] as const).filter(
        (library) => absent[library]?.length !== versions.length,
      )
      expect(new Set(rows.map(({ library }) => library)), name).toEqual(new Set(libraries))
    }
    const having = recordedFrameworks.filter(({ rows }) =>
      rows.some(({ library }) => library === 'pymemcache'),
    )
    expect(having.map(({ name }) => name)).toEqual(['Django', 'dogpile.cache'])
  })

  it('Django has no backend for python-memcached from 4.1 on', () => {
    const django = recordedFrameworks.find(({ name }) => name === 'Django')!
    expect(django.absent['python-memcached']).toEqual(
      django.versions.filter((version) => !/^3|^4\.0/.test(version)),
    )
  })

  it('another version is one of its series, else the newest that is not newer, else the oldest', () => {
    expect(nearestVersion(['3.2.25', '4.0.10', '5.2'], '4.1.3')).toBe('4.0.10')
    expect(nearestVersion(['3.2.25', '4.0.10'], '2.2')).toBe('3.2.25')
    expect(nearestVersion(['5.0.14', '5.2'], '5.10')).toBe('5.2')
    expect(nearestVersion(['3.2.25', '4.0.10', '4.1.13'], '4.0')).toBe('4.0.10')
  })

  it.each([
    ['get', { result: 1 }, 'value'],
    ['get', { result: null }, 'None'],
    ['get', { result: true }, 'value'],
    ['delete', { result: 1 }, '1'],
    ['set_multi', { result: [] }, '[]'],
    ['set_multi', { result: ['a'] }, 'list'],
    ['get', { raises: { class: 'pylibmc.ServerDown', retcode: 47 } }, 'raises unreachable'],
    ['incr', { raises: { class: 'pylibmc.NotFound', retcode: 16 } }, 'raises pylibmc.NotFound'],
    ['get', { raises: { class: 'builtins.ConnectionRefusedError' } }, 'raises unreachable'],
    ['get', { raises: { class: 'builtins.ValueError' } }, 'raises builtins.ValueError'],
    ['get_many', { result: {} }, 'value'],
  ])('%s %j is the word %s', (call, outcome, word) => expect(outcomeWord(call, outcome)).toBe(word))
})
