import { describe, expect, it } from 'vitest'
import { scenarioTrace } from './scenario.js'
import type { TraceEvent } from './trace.js'

// After the example of docs/formats.md.
const scenario = {
  format: 'memshim-scenario/1',
  about: 'incr on a missing key',
  servers: 2,
  client: { pylibmc: { behaviors: { cas: 1 } }, 'python-memcached': { dead_retry: 1 } },
  steps: [
    { call: 'set', args: ['n', 1] },
    { fault: 'down', server: 0 },
    { call: 'get', args: ['n'], only: 'pylibmc' },
    { call: 'get', args: ['n'], only: 'python-memcached>=1.60' },
    { sleep: 1.1 },
    { call: 'get', args: ['n'], client: 'b' },
  ],
}

describe('a scenario as a trace', () => {
  it('keeps the order, turns sleeps into time, and makes clients when they are first used', () => {
    const events = [
      ...(scenarioTrace(scenario, 's.json', 'python-memcached', '1.59').events() as TraceEvent[]),
    ]
    expect(events).toMatchObject([
      { kind: 'new', client: 'a', servers: ['server-0:11211', 'server-1:11211'], kwargs: { dead_retry: 1 } },
      { kind: 'call', call: 'set', line: 1 },
      { kind: 'fault', fault: { fault: 'down', server: 0 } },
      { kind: 'new', client: 'b' },
      { kind: 'call', call: 'get', client: 'b', line: 6 },
    ])
    expect(events.at(-1)!.t - events[2]!.t).toBeGreaterThan(1.1)
  })

  it('leaves out steps of another library or version', () => {
    const calls = (library: 'pylibmc' | 'python-memcached', version: string) =>
      [...(scenarioTrace(scenario, 's', library, version).events() as TraceEvent[])].filter(
        (event) => event.kind === 'call',
      ).length
    expect([
      calls('pylibmc', '1.6.3'),
      calls('python-memcached', '1.59'),
      calls('python-memcached', '1.62'),
    ]).toEqual([3, 2, 3])
  })

  it.each([
    [{}, 'field "format"'],
    [{ format: 'memshim-scenario/1' }, 'field "steps": is not a list'],
    [{ format: 'memshim-scenario/1', servers: 0, steps: [] }, 'field "servers"'],
    [{ format: 'memshim-scenario/1', steps: [{ jump: 1 }] }, 'line 1: is not a step'],
    [{ format: 'memshim-scenario/1', steps: [{ raw: 'x', server: 0 }] }, 'line 1, field "raw"'],
  ])('names what is wrong in %j', (wrong, message) => {
    expect(() => scenarioTrace(wrong, 's.json', 'pylibmc', '1.6.3')).toThrow(message)
  })
})
