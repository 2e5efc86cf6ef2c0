/**
 * Audits with pymemcache as the target, and of traces of pylibmc. Expected outcomes: docs/reference/pymemcache.md, and the recordings
 * fixtures/vectors/calling-forms-pymemcache.json.
 */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  type AuditOptions,
  audit,
  readTrace,
  renderHtml,
  renderTerminal,
  type TraceEvent,
  targetText,
  traceFormat,
  traceOf,
} from '../../../src/audit/index.js'

type Library = 'python-memcached' | 'pylibmc'
type Call = readonly [call: string, args: unknown[], kwargs?: Record<string, unknown>]

function trace(library: Library, calls: readonly Call[], servers = ['10.0.0.1:11211'], kwargs = {}) {
  const version = library === 'pylibmc' ? '1.6.3' : '1.59'
  const header = { format: traceFormat, library, version, servers: servers.length } as const
  const events = [
    { kind: 'new', client: 'a', servers, kwargs },
    ...calls.map(([call, args, kwargs = {}]) => ({ kind: 'call', client: 'a', call, args, kwargs })),
  ].map((event, i) => ({ line: i + 2, t: i / 1000, ...event }) as TraceEvent)
  return traceOf('pymemcache', header, events)
}

async function outcomes(given: ReturnType<typeof trace>, options: AuditOptions = {}) {
  const found: unknown[] = []
  const report = await audit(given, {
    to: 'pymemcache-4.0',
    ...options,
    onOperation: ({ call, compat, strict }, { status, explanations }) => {
      if (status === 'same' || call === 'Client') return
      const said = [compat, strict].map((one) => ('raises' in one ? one.raises.class : one.result))
      found.push([call, ...said, explanations.map((one) => one.switch).join()])
    },
  })
  return { found, report }
}

const answered = { default_noreply: false, serde: 'pickle_serde' }

it('without a serde values come back as bytes of their text; with pickle_serde as they are', async () => {
  const calls: Call[] = [
    ['set', ['t', true]],
    ['get', ['t']],
    ['set', ['k', 'text']],
    ['get_multi', [['k']]],
  ]
  const { found } = await outcomes(trace('python-memcached', calls))
  expect(found).toEqual([
    ['set', true, true, 'pymemcache-serde'],
    ['get', true, { $bytes: 'True' }, 'pymemcache-serde'],
    ['set', true, true, 'pymemcache-serde'],
    ['get_multi', { k: 'text' }, { k: { $bytes: 'text' } }, 'pymemcache-serde'],
  ])
  expect((await outcomes(trace('python-memcached', calls), { targetOptions: answered })).found).toEqual([])
})

it('default_noreply hides a refused add; waiting shows it', async () => {
  const calls: Call[] = [
    ['add', ['k', { $bytes: 'a' }]],
    ['add', ['k', { $bytes: 'b' }]],
  ]
  expect((await outcomes(trace('python-memcached', calls))).found).toEqual([
    ['add', false, true, 'pymemcache-noreply'],
  ])
  const waiting = { targetOptions: { default_noreply: false } }
  expect((await outcomes(trace('python-memcached', calls), waiting)).found).toEqual([])
})

it('a value over the limit raises, or returns True, and the old value is gone', async () => {
  const calls: Call[] = [
    ['set', ['k', { $bytes: 'old' }]],
    ['set', ['k', { $repeat: ['x', 1_100_000] }]],
    ['get', ['k']],
  ]
  const { found } = await outcomes(trace('python-memcached', calls), { targetOptions: answered })
  expect(found).toEqual([
    ['set', 0, 'pymemcache.exceptions.MemcacheServerError', 'pymemcache-oversize'],
    ['get', { $bytes: 'old' }, null, 'pymemcache-oversize'],
  ])
  const hidden = await outcomes(trace('python-memcached', calls))
  expect(hidden.found).toContainEqual([
    'get',
    { $bytes: 'old' },
    null,
    expect.stringContaining('pymemcache-oversize'),
  ])
})

it('repaired calls are said in pymemcache\u2019s words: names, deltas, CAS uniques', async () => {
  const calls: Call[] = [
    ['set', ['k', 'v'], { time: 60 }],
    ['gets', ['k']],
    ['cas', ['k', 'w']],
    ['get', ['k']],
    ['set', ['n', 5]],
    ['incr', ['n']],
    ['set_multi', [{ a: 1 }], { time: 60 }],
    ['get_multi', [['a', 'missing']]],
  ]
  const kwargs = { cache_cas: true }
  const given = () => trace('python-memcached', calls, undefined, kwargs)
  const repaired = await outcomes(given(), { calls: 'repaired', targetOptions: answered })
  expect(repaired.found).toEqual([])
  const { found } = await outcomes(given(), { targetOptions: answered })
  expect(found).toContainEqual(['set', true, 'builtins.TypeError', 'calling-form'])
  expect(found).toContainEqual(['cas', true, 'builtins.TypeError', 'gets-and-cas'])
  expect(found).toContainEqual(['incr', 6, 'builtins.TypeError', 'calling-form'])
})

it('the constructor as it is raises, and the report advises in pymemcache\u2019s words', async () => {
  const { report } = await outcomes(trace('python-memcached', [['get', ['k']]], undefined, { debug: 0 }))
  const row = report.switches.find((one) => one.switch === 'constructor')!
  expect(row.examples[0]!.strict).toMatchObject({ raises: { class: 'builtins.TypeError' } })
  const text = renderTerminal(report)
  expect(text).toMatch(/HashClient/)
  expect(text).toMatch(/default_noreply=False/)
  expect(text).not.toMatch(/pylibmc\.Client|behavior/)
  expect(renderHtml(report)).toContain('pymemcache-4.0.0')
})

it('a trace of pylibmc goes to pymemcache and to python-memcached', async () => {
  const calls: Call[] = [
    ['set', ['k', true]],
    ['get', ['k']],
    ['incr', ['missing']],
    ['delete', ['missing']],
  ]
  const { found, report } = await outcomes(trace('pylibmc', calls), { targetOptions: answered })
  expect(found).toEqual([
    ['get', 1, true, 'pymemcache-serde'],
    ['incr', 'pylibmc.NotFound', 'builtins.TypeError', 'calling-form'],
  ])
  expect(report.settings).toMatchObject({ from: 'pylibmc-1.6.3', to: 'pymemcache-4.0.0' })
  expect(report.totals.unexplained).toBe(0)
  const back = await audit(trace('pylibmc', calls), { to: 'python-memcached-1.62' })
  expect(back.settings.to).toBe('python-memcached-1.62')
  expect(back.totals.unexplained).toBe(0)
  expect(back.totals.differs).toBeGreaterThan(0)
})

it.each([
  [{ targetOptions: { colour: 1 } }, /targetOptions: "?colour"? is not one of default_noreply/],
  [{ targetOptions: { timeout: -1 } }, /timeout -1 is not seconds above 0/],
  [{ to: 'pylibmc-1.6.3', targetOptions: {} }, /targetOptions: the target is not pymemcache/],
  [{ to: 'pymemcache-4.1' }, /is not one of pylibmc-1.6.3/],
] as const)('%j is refused', async (options, message) => {
  const given = trace('python-memcached', [['get', ['k']]])
  await expect(audit(given, { to: 'pymemcache-4.0', ...options } as AuditOptions)).rejects.toThrow(message)
})

it('the shipped trace of Django has no unexplained difference', { timeout: 120_000 }, async () => {
  const path = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'traces', 'django-4.0-cache.jsonl.gz')
  const report = await audit(await readTrace(path), { to: 'pymemcache-4.0' })
  expect(report.totals.unexplained).toBe(0)
  expect(targetText(report)).toMatch(/raise/)
})

it('--verify proves explanations by switching exactly the behaviours that they name', async () => {
  const calls: Call[] = [
    ['set', ['t', true]],
    ['get', ['t']],
    ['set', ['u', 'é']],
    ['add', ['t', { $bytes: 'x' }]],
    ['delete', ['missing']],
    ['set', ['big', { $repeat: ['x', 1_100_000] }]],
    ['flush_all', []],
  ]
  const given = () => trace('python-memcached', calls)
  for (const targetOptions of [{}, { default_noreply: false }]) {
    const report = await audit(given(), { to: 'pymemcache-4.0', verify: true, targetOptions })
    const { operations, confirmed, sets } = report.verification!
    expect(operations).toBeGreaterThan(3)
    expect(confirmed, JSON.stringify(sets)).toBe(operations)
  }
})

/** Recorded from the real pymemcache 4.0.0. */
it('check_key of a pool has the prefix of the client; the report says that a HashClient needs it as bytes', async () => {
  const calls: Call[] = [['check_key', ['k']]]
  const targetOptions = { use_pooling: true, key_prefix: 'pfx:' }
  const { found, report } = await outcomes(trace('python-memcached', calls), { targetOptions })
  expect(found).toEqual([
    ['check_key', 'memcache.MemcachedKeyTypeError', { $bytes: 'pfx:k' }, 'pymemcache-keys'],
  ])
  expect(report.notes.map(({ text }) => text)).toContainEqual(
    expect.stringContaining('key_prefix is taken for bytes'),
  )
})
