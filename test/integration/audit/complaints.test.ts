/**
 * What users of pymemcache complain about in public, as small applications that ran on the library that they use today (fixtures/applications/complaints,
 * recorded by fixtures/record/applications/complaints.py): each audit has the complaint as a finding, in words that say what happens and what helps.
 */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  type AuditOptions,
  audit,
  knownColumns,
  type Report,
  readTrace,
  renderTerminal,
} from '../../../src/audit/index.js'
import { fixtures } from '../../differential/support/recordings.js'

const names = ['oversize', 'failover', 'silent', 'serdes', 'region', 'shared', 'history']
const read = (name: string) => readTrace(join(fixtures, 'applications', 'complaints', `${name}.jsonl.gz`))
const text = (report: Report) => renderTerminal(report, { width: 140, examples: 8 }).replace(/\s+/g, ' ')
/** Nothing in these replays is silent: on a busy machine an answer may take its time. */
const patient = { longestWait: 20_000 }
const answered = { default_noreply: false, serde: 'pickle_serde' }

/** The outages that the report itself finds, as `--outage` takes them. */
function outagesOf({ foundOutages }: Report): NonNullable<AuditOptions['outages']> {
  return foundOutages.map(({ server, from }) => ({ server, from: Math.floor(from * 1000) / 1000, to: 40 }))
}

it('values over the limit start to raise', async () => {
  const report = await audit(await read('oversize'), { to: 'pymemcache-4.0', targetOptions: answered })
  const found = report.switches.find((one) => one.switch === 'pymemcache-oversize')!
  expect(found.impacts).toEqual({ raises: 4 })
  expect(text(report)).toContain('raises pymemcache.exceptions.MemcacheServerError')
  expect(text(report)).toContain('or catch pymemcache.exceptions.MemcacheServerError around set')
  expect(text(report)).toContain('pymemcache sends the value and raises MemcacheServerError')
  expect(text(report)).not.toContain('TooBig')
})

it('a HashClient does not use another server at once', async () => {
  const options: AuditOptions = { to: 'pymemcache-4.0', calls: 'repaired', targetOptions: answered }
  const first = await audit(await read('failover'), options)
  expect(first.foundOutages).toMatchObject([{ server: 1 }])
  expect(text(first)).toContain(
    'does not use another server at once: Client and PooledClient raise for every call; a HashClient raises for the first',
  )
  const report = await audit(await read('failover'), { ...options, ...patient, outages: outagesOf(first) })
  expect(report.fidelity.findings).toEqual([])
  expect(report.supposedOutages!.raises).toBeGreaterThan(0)
  const found = report.switches.find((one) => one.switch === 'pymemcache-failures')!
  expect(found.impacts.raises).toBeGreaterThan(0)
  expect(found.impacts.truth).toBeGreaterThan(0)
  expect(found.advice).toContain('does not use the next server before retry_attempts have failed')
})

it('a call waits without a limit for a server that does not answer, without a timeout', async () => {
  const silent = 'calls to a server that does not answer wait without a limit, because timeout= is not given'
  const without = await audit(await read('silent'), { to: 'pymemcache-4.0', targetOptions: answered })
  expect(text(without)).toContain(silent)
  const given = { ...answered, timeout: 3 }
  const with3 = await audit(await read('silent'), { to: 'pymemcache-4.0', targetOptions: given })
  expect(with3.foundOutages).toHaveLength(1)
  expect(text(with3)).not.toContain(silent)
})

it('booleans and text come back as bytes without a serde, and text beyond ASCII is refused', async () => {
  const report = await audit(await read('serdes'), { to: 'pymemcache-4.0' })
  const said = text(report)
  expect(said).toContain("pymemcache-4.0.0 b'True'")
  expect(said).toContain("pymemcache-4.0.0 b'plain'")
  expect(said).toContain(
    'raises pymemcache.exceptions.MemcacheIllegalInputError: Data values must be binary-safe',
  )
  // b'False' is true for Python's if.
  const serde = report.switches.find((one) => one.switch === 'pymemcache-serde')!
  expect(serde.impacts.truth).toBeGreaterThan(0)
  const pickled = await audit(await read('serdes'), { to: 'pymemcache-4.0', targetOptions: answered })
  expect(pickled.switches.map((one) => one.switch)).toEqual(['constructor'])
})

it('a backend that ignores dead_retry and socket_timeout, or refuses them, is named', async () => {
  const region = await audit(await read('region'), { to: 'dogpile:pymemcache' })
  expect(region.risks).toMatchObject([{ name: 'keywords', count: 1 }])
  expect(text(region)).toContain(
    'socket_timeout: the backend pymemcache of dogpile.cache 1.5.0 silently ignores it',
  )
  expect(text(region)).toContain(
    'dead_retry: the backend pymemcache of dogpile.cache 1.5.0 silently ignores it',
  )
  const django = await audit(await read('region'), { to: 'django-5.1:PyMemcacheCache' })
  expect(text(django)).toContain('PyMemcacheCache of Django 5.1.7 raises TypeError for it')
})

it('threads that share a Client without a pool close each other\u2019s connections', async () => {
  for (const to of ['pymemcache-3.5.2', 'python-memcached-1.62', 'pylibmc-1.6.3']) {
    const report = await audit(await read('shared'), { to })
    const found = report.analyses!.find((one) => one.name === 'shared-clients')!
    expect(found).toMatchObject({ severity: 'problem', rows: [{ count: expect.any(Number) }] })
    expect(found.advice).toContain("'NoneType' object has no attribute 'recv'")
  }
  const python = await audit(await read('serdes'), { to: 'pymemcache-4.0' })
  expect(text(python)).toContain(
    "AttributeError: 'NoneType' object has no attribute 'recv'); use_pooling=True",
  )
})

it('with ignore_exc gets of a HashClient is None and no pair; the trace shows the outage', async () => {
  const outages = [{ server: 0, from: 0.018, to: 40 }]
  const same = await audit(await read('history'), { to: 'pymemcache-3.5.2', outages, ...patient })
  expect(same.fidelity.findings).toEqual([])
  expect(same.totals).toMatchObject({ differs: 0, unexplained: 0 })
  const found = await audit(await read('history'), { to: 'pylibmc-1.6.3' })
  expect(found.foundOutages).toMatchObject([{ server: 0, confidence: 'medium' }])
  const away = await audit(await read('history'), { to: 'pylibmc-1.6.3', outages, ...patient })
  const failures = away.switches.find((one) => one.switch === 'pymemcache-failures')!
  expect(failures.pythonMemcached).toContain('raises ConnectionRefusedError')
  expect(failures.impacts.raises).toBeGreaterThan(2)
  expect(text(away)).toContain("gets('history') pymemcache-4.0.0 None pylibmc-1.6.3 raises")
})

it('every difference of these applications to every library is explained', { timeout: 120_000 }, async () => {
  const targets = knownColumns().filter((name) => !/python-memcached-1\.(47|52|54|5[5-8]|6[01])/.test(name))
  for (const name of names)
    for (const to of targets) {
      const report = await audit(await read(name), { to })
      expect({ name, to, unexplained: report.unexplained }).toEqual({ name, to, unexplained: [] })
    }
})
