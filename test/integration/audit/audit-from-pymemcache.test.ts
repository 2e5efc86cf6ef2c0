/**
 * Audits of traces of pymemcache's applications (fixtures/applications/pymemcache) to every library, version and framework's backend. What the real
 * libraries do is compared in test/differential/switched/switched-pymemcache.test.ts.
 */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  AuditOptionsError,
  audit,
  frameworkTargets,
  knownColumns,
  readTrace,
  renderTerminal,
  type TraceEvent,
  traceFormat,
  traceOf,
} from '../../../src/audit/index.js'
import { fixtures } from '../../differential/support/recordings.js'

const read = (name: string) => readTrace(join(fixtures, 'applications', 'pymemcache', `${name}.jsonl.gz`))

it('repeats the application and explains every difference, for every target', {
  timeout: 120_000,
}, async () => {
  for (const to of [...knownColumns(), ...frameworkTargets()]) {
    const report = await audit(await read('blog'), { to })
    expect({ to, findings: report.fidelity.findings }).toEqual({ to, findings: [] })
    expect({ to, unexplained: report.unexplained }).toEqual({ to, unexplained: [] })
    if (to.includes('ymemcache')) expect(report.totals.differs).toBe(0)
  }
})

it('advises in the words of the library that the application goes to', async () => {
  const report = await audit(await read('visits'), { to: 'python-memcached-1.62' })
  const text = renderTerminal(report, { width: 200, color: false })
  expect(text).toContain("memcache.Client(['a:11211', 'b:11211'], socket_timeout=3)")
  expect(text).toContain('get_many, set_many and delete_many are get_multi, set_multi and delete_multi')
  expect(text).not.toContain('pymemcache.Client(')
})

it('names options that do not fit the pair, and a version that it does not know', async () => {
  const trace = await read('visits')
  const wrong = (options: Parameters<typeof audit>[1]) =>
    expect(audit(trace, options)).rejects.toThrowError(AuditOptionsError)
  await wrong({ preset: 'python-memcached-1.59' })
  await wrong({ to: 'pymemcache-3.5.2', calls: 'repaired' })
  await wrong({ to: 'pylibmc', targetOptions: { default_noreply: false } })
  const newer = traceOf('newer', { ...trace.header, version: '4.1.0' }, [])
  await expect(audit(newer, { to: 'pylibmc' })).rejects.toThrow(
    'the trace is of pymemcache 4.1.0, and the audit knows 3.5.2 and 4.0.0: choose one with from',
  )
})

it.each(['visits', 'catalogue', 'report'])(
  '%s: options of the target that are not those of the application explain what differs',
  {
    timeout: 120_000,
  },
  async (name) => {
    for (const options of [
      { to: 'django-5.2:PyMemcacheCache' },
      { to: 'pymemcache-4.0.0', targetOptions: { serde: 'none', default_noreply: true } },
      { to: 'pymemcache-3.5.2', targetOptions: { serde: 'PickleSerde(0)', ignore_exc: true } },
      { to: 'pymemcache-3.5.2', targetOptions: { default_noreply: false, class: 'HashClient' } },
    ] as const) {
      const report = await audit(await read(name), { ...options, longestWait: 20_000 })
      expect({ options, unexplained: report.unexplained }).toEqual({ options, unexplained: [] })
      expect(report.switches.filter(({ advice }) => advice === '')).toEqual([])
    }
  },
)

/** Recorded on the real pymemcache 4.0.0 and memcached 1.6.18. */
it('uniques of get_many with gets, and values that are appended to a compressed item', async () => {
  const created = (client: string, kind: 'HashClient' | 'Client', kwargs: object) =>
    ({ kind: 'new', client, class: kind, servers: ['10.0.0.1:11211'], kwargs }) as const
  const long = { $repeat: ['x', 5000] } as const
  const calls = [
    ['h', 'set', ['k3', { $float: '4.5' }], true],
    ['h', 'get_many', [['k1', 'k3'], true], { k3: { $tuple: [{ $float: '4.5' }, { $bytes: '21' }] } }],
    ['h', 'cas', ['k3', 1, { $bytes: '21' }], true],
    ['c', 'set', ['big', long], true],
    ['c', 'append', ['big', 'y'], true],
    ['c', 'get', ['big'], long],
  ] as const
  const events = [
    created('h', 'HashClient', { serde: 'PickleSerde(2)', default_noreply: false }),
    created('c', 'Client', { serde: 'compressed_serde', default_noreply: false }),
    ...calls.map(([client, call, args, result]) => ({
      kind: 'call',
      client,
      call,
      args,
      kwargs: {},
      outcome: { result },
    })),
  ].map((event, i) => ({ line: i + 2, t: i / 1000, ...event }) as TraceEvent)
  const header = { format: traceFormat, library: 'pymemcache', version: '4.0.0', servers: 1 } as const
  for (const to of ['pymemcache-3.5.2', 'pylibmc-1.6.3', 'python-memcached-1.62', 'python-memcached-1.54']) {
    const report = await audit(traceOf('uniques', header, events), { to })
    expect(report.fidelity.findings).toEqual([])
    expect({ to, unexplained: report.unexplained }).toEqual({ to, unexplained: [] })
  }
})
