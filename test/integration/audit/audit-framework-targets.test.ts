/**
 * A framework's backend as the target of an audit, and situations that users of pymemcache complain about in public: each is a finding
 * with the right words. Expected values: src/audit/frameworks/clients.json (recorded) and docs/reference/pymemcache.md#9, #11.
 */
import { expect, it } from 'vitest'
import {
  type AuditOptions,
  audit,
  renderTerminal,
  type TraceEvent,
  traceFormat,
  traceOf,
} from '../../../src/audit/index.js'

type Call = readonly [call: string, args: unknown[], kwargs?: Record<string, unknown>]
type Step = Call | { readonly fault: Record<string, unknown> }

async function auditOf(
  steps: readonly Step[],
  options: AuditOptions,
  { servers = ['10.0.0.1:11211'], kwargs = {}, library = 'python-memcached' as const } = {},
) {
  const header = { format: traceFormat, library, version: '1.59', servers: servers.length } as const
  const events = [
    { kind: 'new', client: 'a', servers, kwargs },
    ...steps.map((step) => {
      if (!('length' in step)) return { kind: 'fault', ...step }
      const [call, args, kwargs = {}] = step
      return { kind: 'call', client: 'a', call, args, kwargs }
    }),
  ].map((event, i) => ({ line: i + 2, t: i / 1000, ...event }) as TraceEvent)
  const found: unknown[] = []
  const outcomes: unknown[] = []
  const report = await audit(traceOf('application', header, events), {
    ...options,
    onOperation: ({ call, strict }, { status, explanations }) => {
      outcomes.push(strict)
      if (status === 'same') return
      const after = 'raises' in strict ? strict.raises.class.split('.').at(-1) : strict.result
      found.push([call, after, explanations.map((one) => one.switch).join()])
    },
  })
  // Without its line breaks.
  return { found, outcomes, report, text: renderTerminal(report).replace(/\s+/g, ' ') }
}

const down = { fault: { fault: 'down', server: 0 } }

it('django-5.1:PyMemcacheCache is a HashClient with Django’s keywords, and its calls are in pymemcache’s words', async () => {
  const calls: Call[] = [
    ['set', ['k', [1, 'a']], { time: 60 }],
    ['get', ['k']],
    ['set', ['é', 'text', 60]],
    ['get', ['é']],
    ['add', ['k', 'other']],
    ['incr', ['missing']],
  ]
  const { found, report, text } = await auditOf(calls, { to: 'django-5.1:PyMemcacheCache' })
  expect(found).toEqual([])
  expect(report.settings.to).toBe('pymemcache-4.0.0')
  expect(text).toMatch(
    /backend PyMemcacheCache of Django 5\.1\.7: pymemcache 4\.0\.0, HashClient\(allow_unicode_keys=True, default_noreply=False, serde=pickle_serde\)/,
  )
  const plain = await auditOf(calls, { to: 'pymemcache-4.0' })
  expect(plain.found.length).toBeGreaterThan(3)
})

it.each([
  ['django-4.2:PyLibMCCache', 'pylibmc-1.6.3'],
  ['django-4.0:MemcachedCache', 'python-memcached-1.62'],
  ['dogpile:pymemcache', 'pymemcache-4.0.0'],
  ['dogpile.cache-1.3.4:pylibmc', 'pylibmc-1.6.3'],
  ['flask-caching:memcached', 'pylibmc-1.6.3'],
])('%s is %s', async (to, library) => {
  const { report } = await auditOf([['get', ['k']]], { to })
  expect(report.settings.to).toBe(library)
})

it.each([
  [
    'django-5.1:MemcachedCache',
    /backend MemcachedCache is none of django 5\.1\.7, which has PyLibMCCache, PyMemcacheCache/,
  ],
  ['django-9.9:PyMemcacheCache', /version 9\.9 of django was not recorded; there are 3\.2\.25, /],
  ['rails:Dalli', /framework rails is not one of django, /],
  ['django-5.1', /is not one of .*django-5\.2:PyMemcacheCache/],
])('%s is refused by name', async (to, message) => {
  await expect(auditOf([['get', ['k']]], { to })).rejects.toThrow(message)
})

it('dogpile.cache ignores dead_retry and socket_timeout, Django raises for them', async () => {
  const kwargs = { dead_retry: 30, socket_timeout: 3 }
  const dogpile = await auditOf([['get', ['k']]], { to: 'dogpile:pymemcache' }, { kwargs })
  expect(dogpile.text).toMatch(
    /socket_timeout: the backend pymemcache of dogpile\.cache 1\.5\.0 silently ignores it/,
  )
  expect(dogpile.text).toMatch(/dead_retry: .* silently ignores it; pymemcache has timeout/)
  const django = await auditOf([['get', ['k']]], { to: 'django-5.1:PyMemcacheCache' }, { kwargs })
  expect(django.text).toMatch(
    /socket_timeout: the backend PyMemcacheCache of Django 5\.1\.7 raises TypeError for it/,
  )
})

it('a value over the limit starts to raise', async () => {
  const { found, text } = await auditOf([['set', ['k', { $repeat: ['x', 1_100_000] }]]], {
    to: 'django-5.1:PyMemcacheCache',
  })
  expect(found).toEqual([['set', 'MemcacheServerError', 'pymemcache-oversize']])
  expect(text).toMatch(/Values over the limit raise/)
})

it('a HashClient does not fail over at once', async () => {
  const servers = ['10.0.0.1:11211', '10.0.0.2:11211']
  const calls = Array.from({ length: 12 }, (_, i): Call => ['set', [`key:${i}`, 'v']])
  const { found, text, report } = await auditOf(
    [down, ...calls],
    { to: 'django-5.1:PyMemcacheCache' },
    { servers },
  )
  expect(found).toContainEqual(['set', 'ConnectionRefusedError', 'pymemcache-failures,hashing'])
  expect(found).toContainEqual(['set', false, expect.stringContaining('pymemcache-failures')])
  expect(report.totals.unexplained).toBe(0)
  expect(text).toMatch(/does not use the next server before retry_attempts have failed/)
})

it('a server that does not answer: the report says that there is no timeout', async () => {
  const stall = { fault: { fault: 'stall', server: 0 } }
  const { found, text } = await auditOf([['set', ['k', 'v']], stall, ['get', ['k']]], {
    to: 'pymemcache-4.0',
    targetOptions: { default_noreply: false, serde: 'pickle_serde' },
  })
  expect(found).toContainEqual(['get', 'TimeoutError', 'pymemcache-failures'])
  expect(text).toMatch(/Give timeout= and connect_timeout=: there is no default/)
  expect(text).toMatch(/'NoneType' object has no attribute 'recv'/)
})

it('with ignore_exc gets of a HashClient is None and no pair', async () => {
  const { outcomes } = await auditOf([['gets', ['k']], down, ['gets', ['k']]], {
    to: 'pymemcache-4.0',
    targetOptions: { class: 'HashClient', ignore_exc: true },
  })
  expect(outcomes.slice(1)).toEqual([{ result: { $tuple: [null, null] } }, { result: null }])
})
