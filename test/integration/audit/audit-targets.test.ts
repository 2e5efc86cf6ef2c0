/**
 * Audits between two versions of python-memcached. Expected outcomes: docs/reference/python-memcached.md#17, and the recordings
 * fixtures/recordings of `removal/delete`, `booleans` and the signatures of fixtures/vectors/signatures.json.
 */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { TraceEvent } from '../../../src/audit/index.js'
import {
  type AuditOptions,
  audit,
  readTrace,
  renderHtml,
  renderTerminal,
  traceFormat,
  traceOf,
} from '../../../src/audit/index.js'

const servers = ['10.0.0.1:11211']

function trace(
  version: string,
  calls: readonly (readonly [string, unknown[], Record<string, unknown>?])[],
  kwargs = {},
) {
  const header = { format: traceFormat, library: 'python-memcached', version, servers: 1 } as const
  const events = [
    { kind: 'new', client: 'a', servers, kwargs },
    ...calls.map(([call, args, kwargs = {}]) => ({ kind: 'call', client: 'a', call, args, kwargs })),
  ].map((event, i) => ({ line: i + 2, t: i / 1000, ...event }) as TraceEvent)
  return traceOf('targets', header, events)
}

async function outcomes(given: ReturnType<typeof trace>, options: AuditOptions) {
  const found: unknown[] = []
  const report = await audit(given, {
    ...options,
    verify: true,
    onOperation: ({ call, compat, strict }, { status, explanations }) => {
      if (status === 'same') return
      const said = [compat, strict].map((one) => ('raises' in one ? one.raises.class : one.result))
      found.push([call, ...said, explanations.map((one) => one.switch).join()])
    },
  })
  return { found, report }
}

it('1.59 to 1.62: a missing delete is 0, and the row that explains it is named and proved', async () => {
  const calls = [
    ['set', ['k', 'v']],
    ['get', ['k']],
    ['delete', ['missing']],
    ['delete_multi', [['missing']]],
  ] as const
  const { found, report } = await outcomes(trace('1.59', calls as never), { to: 'python-memcached-1.62' })
  expect(found).toEqual([['delete', 1, 0, 'missing-delete']])
  expect(report.settings).toMatchObject({ from: 'python-memcached-1.59', to: 'python-memcached-1.62' })
  expect(report.switches[0]!.rows).toEqual([{ fact: 'missingDelete', before: 1, after: 0 }])
  expect(report.verification).toMatchObject({ operations: 1, confirmed: 1 })
  expect(renderTerminal(report)).toMatch(/another outcome on python-memcached-1\.62/)
  expect(renderTerminal(report)).not.toMatch(/pylibmc/)
  expect(renderHtml(report)).toContain('<dt>python-memcached-1.62</dt>')
})

it('1.58 to 1.59: bytes come back as bytes, booleans as booleans', async () => {
  const calls = [
    ['set', ['b', { $bytes: 'data' }]],
    ['get', ['b']],
    ['set', ['t', true]],
    ['get', ['t']],
  ] as const
  const { found } = await outcomes(trace('1.58', calls as never), { to: 'python-memcached-1.59' })
  expect(found).toEqual([
    ['get', 'data', { $bytes: 'data' }, 'flag-0-reads'],
    ['set', true, true, 'booleans'],
    ['get', 1, true, 'booleans'],
  ])
})

it('methods, arguments and constructor keywords that the target does not have raise as they do there', async () => {
  const calls = [
    ['get', ['k', 'default']],
    ['delete', ['k', 0]],
    ['quit_all', []],
  ] as const
  const options = { check_keys: true, key_encoder: null }
  const { found } = await outcomes(trace('1.62', calls as never, options), { to: 'python-memcached-1.59' })
  expect(found).toEqual([
    ['Client', null, 'builtins.TypeError', 'constructor'],
    ['get', 'default', 'builtins.TypeError', 'get-default'],
    ['delete', 0, 1, 'missing-delete'],
    ['quit_all', null, 'builtins.AttributeError', 'version-surface'],
  ])
  const back = await outcomes(trace('1.59', [['_deletetouch', [[{ $bytes: 'DELETED' }], 'delete', 'k']]]), {
    to: 'python-memcached-1.62',
  })
  expect(back.found).toEqual([['_deletetouch', 0, 'builtins.AttributeError', 'version-surface']])
})

it('from names the version of the application if the trace names another one', async () => {
  const { report, found } = await outcomes(trace('1.62', [['delete', ['missing']]]), {
    from: 'python-memcached-1.53',
    to: 'python-memcached-1.62',
  })
  expect(report.settings.preset).toBe('python-memcached-1.53')
  expect(found).toEqual([['delete', 1, 0, 'missing-delete']])
})

it.each([
  [
    { to: 'python-memcached-1.63' },
    /to "python-memcached-1.63" is not one of pylibmc-1.6.3, python-memcached-1.44/,
  ],
  [{ to: 'memcache' }, /to "memcache" is not one of/],
  [{ from: 'pylibmc-1.6.3' }, /from "pylibmc-1.6.3" is not python-memcached/],
] as const)('%j is refused', async (options, message) => {
  await expect(audit(trace('1.59', [['get', ['k']]]), options)).rejects.toThrow(message)
})

it('the trace of a real test suite has no unexplained difference on 1.62, and every explanation holds', {
  timeout: 120_000,
}, async () => {
  const path = join(
    import.meta.dirname,
    '..',
    '..',
    '..',
    'fixtures',
    'traces',
    'python-memcached-1.59-tests.jsonl.gz',
  )
  const report = await audit(await readTrace(path), { to: 'python-memcached-1.62', verify: true })
  expect(report.totals.unexplained).toBe(0)
  expect(report.verification?.confirmed).toBe(report.verification?.operations)
})

it('1.59 to 1.54: check_key takes text on Python 2, which the key rules explain', async () => {
  const { found } = await outcomes(trace('1.59', [['check_key', ['k']]]), { to: 'python-memcached-1.54' })
  expect(found).toEqual([['check_key', 'memcache.MemcachedKeyTypeError', null, 'keys']])
})

it.each([
  [{ to: 'python-memcached-1.62', binary: true }, 'binary is for pylibmc, and the audit compares'],
  [{ to: 'pymemcache-4.0.0', behaviors: { ketama: 1 } }, 'behaviors is for pylibmc, and the audit compares'],
  [{ to: 'python-memcached-1.62', negativeTimeout: 'zero' }, 'negativeTimeout is for pylibmc'],
  [{ to: 'python-memcached-1.62', calls: 'repaired' }, 'calls are repaired for another library'],
] as const)('%o is refused, since it says nothing about these libraries', async (options, message) => {
  const given = trace('1.59', [['get', ['k']]])
  await expect(audit(given, options)).rejects.toThrow(message)
})

it('a trace of which nothing can be replayed says why', async () => {
  const given = trace('1.59', [['get', ['k']]])
  const options = { binary: true, behaviors: { verify_keys: 1 } }
  await expect(audit(given, options)).rejects.toThrow(/client not constructed as pylibmc.*verify_keys/)
})
