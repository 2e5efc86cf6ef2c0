/**
 * The built command on a small trace of everything that differs, with faults. What python-memcached 1.59 returned is taken
 * from its specification (the section is named beside each step), so the emulation and the explanations are both checked.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Report } from '../../src/audit/index.js'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'memshim-audit-'))
afterAll(() => rmSync(folder, { recursive: true }))

type Line = Record<string, unknown>
const raises = (name: string) => ({ raises: { class: name } })
let now = 0
const wait = (seconds: number) => {
  now += seconds
  return now
}
const call = (name: string, args: unknown[], result: unknown, kwargs: object = {}): Line => ({
  t: wait(0.01),
  client: 'web',
  call: name,
  args,
  kwargs,
  at: `app.py:${name}`,
  ...(typeof result === 'object' && result !== null && 'raises' in result ? result : { result }),
})
const fault = (name: string, rest: object = {}): Line => ({
  t: wait(0.01),
  fault: name,
  server: 0,
  ...rest,
})
function trace(): Line[] {
  const lines: Line[] = [
    {
      format: 'memshim-trace/1',
      library: 'python-memcached',
      version: '1.59',
      servers: 1,
      recorded: '2026-01-01',
    },
    {
      t: 0,
      client: 'web',
      new: { servers: ['10.0.0.1:11211'], kwargs: { dead_retry: 30, socket_timeout: 0.2 } },
    },
    // docs/reference/python-memcached.md#10: results; #9.2: values
    call('set', ['k', 'v'], true),
    call('get', ['k'], 'v'),
    call('get', ['none'], null),
    call('set', ['flag', true], true),
    call('get', ['flag'], true),
    call('set_multi', [{ a: 1, b: { $tuple: [1, { $float: '2.0' }] } }], []),
    call('get_multi', [['a', 'b', 'z']], { a: 1, b: { $tuple: [1, { $float: '2.0' }] } }),
    call('add', ['k', 1], false),
    call('append', ['k', 'w'], true),
    call('get', ['k'], 'vw'),
    // docs/reference/python-memcached.md#10.2
    call('incr', ['missing'], null),
    call('incr', ['a', 2], 3),
    call('incr', ['k'], raises('builtins.ValueError')),
    // docs/reference/python-memcached.md#11
    call('set', ['n', 1, -1], true),
    call('get', ['n'], null),
    call('add', ['n', 2], true),
    call('set', ['short', 'x', 10], true),
    // docs/reference/python-memcached.md#9.6
    call('set', ['big', { $repeat: ['x', 2_000_000] }], 0),
    call('get', ['big'], null),
    // docs/reference/python-memcached.md#12
    call('gets', ['a'], 3),
    call('cas', ['a', 4], true),
    call('cas', ['a', 5], true),
    // docs/reference/python-memcached.md#10.3, #10.4
    call('delete', ['k'], 1),
    call('delete', ['k'], 1),
    call('touch', ['k', 10], 0),
    // docs/reference/python-memcached.md#8.1
    call('get', ['a b'], raises('memcache.MemcachedKeyCharacterError')),
    call('get', [null], raises('memcache.MemcachedKeyNoneError')),
    call('set', ['x'.repeat(251), 1], raises('memcache.MemcachedKeyLengthError')),
    call('forget_dead_hosts', [], null),
  ]
  wait(11)
  lines.push(
    call('get', ['short'], null),
    // docs/reference/python-memcached.md#13.1: a refused reply keeps the connection
    fault('reply', { bytes: 'SERVER_ERROR out of order\r\n' }),
    call('set', ['r', 1], false),
    call('set', ['r', 1], true),
    // docs/reference/python-memcached.md#13.1, #7.2: down, and dead for dead_retry seconds after it is back
    fault('down'),
    call('get', ['r'], null),
    call('set', ['r', 2], 0),
    call('incr', ['r'], null),
    call('get_multi', [['r', 's']], {}),
    call('delete', ['r'], 0),
    fault('up'),
    call('get', ['r'], null),
  )
  wait(31)
  lines.push(
    call('set', ['r', 3], true),
    call('get', ['r'], 3),
    // docs/reference/python-memcached.md#7.3: an idle connection that was cut costs one failure and dead_retry seconds
    fault('cut'),
    call('get', ['r'], null),
    call('set', ['r', 4], 0),
  )
  wait(31)
  lines.push(
    call('get', ['r'], 3),
    // docs/reference/python-memcached.md#13.1: no reply
    fault('stall'),
    call('get', ['r'], null),
  )
  wait(31)
  lines.push(
    call('set', ['r', 5], true),
    call('get', ['r'], 5),
    call('flush_all', [], null),
    call('disconnect_all', [], null),
  )
  return lines
}

async function memshim(...args: string[]) {
  try {
    const { stdout, stderr } = await run(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], {
      cwd: folder,
    })
    return { code: 0, stdout, stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

let report: Report
let first: Awaited<ReturnType<typeof memshim>>
beforeAll(async () => {
  writeFileSync(
    join(folder, 'small.jsonl'),
    trace()
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(''),
  )
  first = await memshim('audit', 'small.jsonl', '--verify', '--json', 'r.json', '--html', 'r.html')
  report = JSON.parse(readFileSync(join(folder, 'r.json'), 'utf8'))
})

const rowOf = (name: string) => report.switches.find((row) => row.switch === name)

describe('memshim audit', () => {
  it('succeeds, and prints where the reports are', () => {
    // On a busy machine its progress is said, too: a line every ten seconds.
    const said = first.stderr.split('\n').filter((line) => !/^memshim: (replaying|verifying): /.test(line))
    expect({ code: first.code, said }).toEqual({ code: 0, said: [''] })
    expect(first.stdout).toContain('HTML report: r.html')
  })

  it('repeats everything that python-memcached had done', () => {
    expect(report.fidelity.findings).toEqual([])
    expect(report.fidelity.same).toBe(report.totals.operations)
  })

  it('explains every difference by a named switch', () => {
    expect(report.unexplained).toEqual([])
    expect(report.totals.differs).toBeGreaterThan(20)
  })

  it.each([
    ['errors', 'raises'],
    ['missing-counter', 'raises'],
    ['oversize', 'raises'],
    ['gets-and-cas', 'raises'],
    ['constructor', 'raises'],
    ['missing-delete', 'truth'],
    ['booleans', 'spelling'],
    ['missing-method', 'raises'],
  ] as const)('%s is found, with what it does: %s', (name, impact) => {
    expect(rowOf(name)?.impacts).toHaveProperty(impact)
    expect(rowOf(name)?.advice).not.toBe('')
  })

  it('a get that differs because of an earlier set names that line', () => {
    const get = rowOf('booleans')?.examples.find((example) => example.call === "get('flag')")
    const set = rowOf('booleans')?.examples.find((example) => example.call.startsWith("set('flag'"))
    expect(get?.explanations).toMatchObject([{ how: 'inherited', lines: [set?.line] }])
  })

  it('a negative time is a risk and no difference: pylibmc 1.6.3 does as python-memcached, its documentation says otherwise', () => {
    expect(rowOf('negative-timeout')).toBeUndefined()
    expect(report.risks).toMatchObject([{ name: 'documented-negative-timeout', count: 1 }])
  })

  it('every explanation holds when exactly its switches are off', () => {
    expect(report.verification?.sets.filter((set) => set.refuted.length > 0)).toEqual([])
    expect(report.verification?.untried).toBe(0)
  })

  it('what expired in the application has expired in the replay, without waiting', () => {
    expect(report.trace.seconds).toBeGreaterThan(100)
    expect(report.timing.seconds).toBeLessThan(60)
  })

  it('--fail-on decides the exit code', async () => {
    expect(await memshim('audit', 'small.jsonl', '-q', '--fail-on', 'missing-counter')).toMatchObject({
      code: 1,
      stdout: '',
    })
    expect(await memshim('audit', 'small.jsonl', '-q', '--fail-on', 'unexplained')).toMatchObject({ code: 0 })
  })

  it('a bad trace, option or file is one sentence on standard error and code 2', async () => {
    writeFileSync(
      join(folder, 'bad.jsonl'),
      '{"format":"memshim-trace/1","library":"pylibmc","version":"1.6.3","servers":1}\n{"t":0}\n',
    )
    const cases: [string[], string][] = [
      [['audit', 'bad.jsonl'], 'bad.jsonl, line 2'],
      [['audit', 'none.jsonl'], 'there is no such file'],
      [['audit', 'small.jsonl', '--fail-on', 'nonsense'], '--fail-on nonsense is not known'],
      [
        ['audit', 'small.jsonl', '--html', 'no/such/folder.html', '-q'],
        'no/such/folder.html cannot be written',
      ],
    ]
    for (const [args, message] of cases) {
      const { code, stderr } = await memshim(...args)
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(message) })
      expect(stderr).not.toMatch(/\n\s+at /)
    }
  })
})
