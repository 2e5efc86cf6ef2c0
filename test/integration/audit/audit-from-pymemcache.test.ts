/**
 * Audits of traces of pymemcache's applications (fixtures/applications/pymemcache) to every library, version and framework's backend. What the real
 * libraries do is compared in test/differential/audit/switched-pymemcache.test.ts.
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
  traceOf,
} from '../../../src/audit/index.js'
import { fixtures } from '../../differential/support/recordings.js'

const read = (name: string) => readTrace(join(fixtures, 'applications', 'pymemcache', `${name}.jsonl.gz`))

it('repeats the application and explains every difference, whatever the target is', {
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
