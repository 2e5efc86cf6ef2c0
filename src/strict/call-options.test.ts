// Options of calls and constructors: what is not known is refused by name before anything is sent.
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { Client as CompatClient } from '../compat/index.js'
import { Client, ClientPool, MemcachedError } from './index.js'

// Nothing listens there: a call that got as far as a server would say so.
const mc = new Client(['127.0.0.1:1'], { behaviors: { cas: 1 } })
afterAll(() => mc.disconnectAll())
const prototype = Object.prototype as Record<string, unknown>
afterEach(() => {
  delete prototype.timeout
  delete prototype.time
  delete prototype.namespace
})

type Call = (options: never) => unknown
const calls: Record<string, Call> = {
  get: (options) => mc.get('k', undefined, options),
  gets: (options) => mc.gets('k', options),
  getMulti: (options) => mc.getMulti(['k'], options),
  streamMulti: (options) => mc.streamMulti(['k'], options),
  set: (options) => mc.set('k', 1, options),
  add: (options) => mc.add('k', 1, options),
  replace: (options) => mc.replace('k', 1, options),
  append: (options) => mc.append('k', 'x', options),
  prepend: (options) => mc.prepend('k', 'x', options),
  cas: (options) => mc.cas('k', 1, 1n, options),
  setMulti: (options) => mc.setMulti({ k: 1 }, options),
  addMulti: (options) => mc.addMulti({ k: 1 }, options),
  incr: (options) => mc.incr('k', 1, options),
  decr: (options) => mc.decr('k', 1, options),
  incrMulti: (options) => mc.incrMulti(['k'], options),
  delete: (options) => mc.delete('k', options),
  deleteMulti: (options) => mc.deleteMulti(['k'], options),
  touch: (options) => mc.touch('k', 1, options),
  flushAll: (options) => mc.flushAll(options),
  getStats: (options) => mc.getStats(undefined, options),
}
const prefixed = ['getMulti', 'streamMulti', 'setMulti', 'addMulti', 'incrMulti', 'deleteMulti']
const timed = ['set', 'add', 'replace', 'append', 'prepend', 'cas', 'setMulti', 'addMulti', 'flushAll']

async function refusal(name: string, options: unknown): Promise<unknown> {
  try {
    await calls[name]!(options as never)
  } catch (error) {
    return error
  }
  return 'accepted'
}

describe.each(Object.keys(calls))(
  '%s',
  (name) => {
    test.each([
      ['a date', new Date()],
      ['a list', [60]],
      ['null', null],
      ['text', '60'],
      ['an unknown name', { nonsense: 1 }],
      ['a name of Object.prototype', { toString: 1 }],
      ['a symbol', { [Symbol('s')]: 1 }],
    ])('refuses %s', async (_, options) => {
      expect(await refusal(name, options)).toBeInstanceOf(TypeError)
    })

    test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5', 5n, null, {}])(
      'refuses the timeout %s',
      async (timeout) => {
        expect(await refusal(name, { timeout })).toMatchObject({
          name: 'ValueError',
          message: expect.stringMatching(/^timeout /),
        })
      },
    )

    test('refuses a signal that is none', async () => {
      for (const signal of [1, {}, null, { aborted: true }])
        expect(await refusal(name, { signal })).toMatchObject({
          name: 'TypeError',
          message: expect.stringMatching(/^signal must be an AbortSignal/),
        })
    })

    test('hints at the right name', async () => {
      const { message } = (await refusal(name, { key_prefix: 'p' })) as Error
      expect(message).toMatch(prefixed.includes(name) ? /it is called 'keyPrefix' here/ : /there are /)
      const other = (await refusal(name, { ttl: 5 })) as Error
      expect(other.message).toMatch(timed.includes(name) ? /it is called 'time' here/ : /there are /)
    })
  },
  20_000,
)

test('nothing comes from Object.prototype', async () => {
  Object.assign(prototype, { timeout: -1, time: 'nonsense', namespace: 'polluted:' })
  const client = new Client(['127.0.0.1:1'])
  expect(await client.set('k', 1, {}).catch((error) => error)).toBeInstanceOf(MemcachedError)
  client.setBehaviors({ cas: 1 })
  expect(client.getBehaviors().cas).toBe(1)
})

describe('constructors', () => {
  test.each([[{}], [5], [null], [undefined], [new Date()], [Symbol('s')], [() => []]])(
    'new Client(%o) is a TypeError that names the servers',
    (servers) => {
      expect(() => new Client(servers as never)).toThrow(TypeError)
      expect(() => new Client(servers as never)).toThrow(/servers must be a list/)
    },
  )

  test.each([
    [{ hash: 'toString' }, 'builtins.KeyError'],
    [{ hash: 'constructor' }, 'builtins.KeyError'],
    [{ hash: '__proto__' }, 'builtins.KeyError'],
    [{ hash: Symbol('s') }, 'builtins.KeyError'],
    [{ hash: Object.create(null) }, 'builtins.KeyError'],
    [{ distribution: 'valueOf' }, 'builtins.KeyError'],
    [{ distribution: Symbol('s') }, 'builtins.KeyError'],
    [{ toString: 1 }, 'builtins.ValueError'],
    [{ constructor: 1 }, 'builtins.ValueError'],
    [JSON.parse('{"__proto__": 1}'), 'builtins.ValueError'],
    [{ [Symbol('s')]: 1 }, 'builtins.ValueError'],
    [[1], undefined],
    [new Date(), 'builtins.AttributeError'],
  ])('behaviors %o', (behaviors, python) => {
    const broken = () => new Client(['127.0.0.1:1'], { behaviors: behaviors as never })
    expect(broken).toThrow(expect.objectContaining(python === undefined ? {} : { python }))
  })

  test('null-prototype options and behaviors are options and behaviors', () => {
    const behaviors = Object.assign(Object.create(null), { cas: 1 })
    const options = Object.assign(Object.create(null), { behaviors, timeout: 5 })
    expect(new Client(['127.0.0.1:1'], options).behaviors.cas).toBe(1)
  })

  test.each([
    [{ timeout: '5' }, /^timeout '5' /],
    [{ timeout: Symbol('s') }, /^timeout Symbol\(s\) /],
    [{ timeout: Object.create(null) }, /^timeout a value of type dict /],
    [{ negativeTimeout: 'constructor' }, /^negativeTimeout 'constructor' is not one of/],
    [{ whenFull: Symbol('s') }, /^whenFull Symbol\(s\) is not one of/],
    [{ maxInFlight: 5n }, /^maxInFlight 5 is not a whole number/],
    [{ busyPoll: -1 }, /^busyPoll -1 is not a number of milliseconds from 0 to 10/],
    [{ busyPoll: 10.5 }, /^busyPoll 10.5 is not a number/],
    [{ busyPoll: Number.NaN }, /^busyPoll NaN is not a number/],
    [{ busyPoll: '1' }, /^busyPoll '1' is not a number/],
    [{ busyPoll: true }, /^busyPoll true is not a number/],
    [{ tls: 1 }, /^tls must be true or an object/],
    [{ encoding: {} }, /^encoding must have the functions/],
    [{ now: 1 }, /^now must be a function/],
    [{ preserve: 'yes' }, /^preserve must be a boolean/],
    [{ protocol: 'meta' }, /^protocol 'meta' was removed/],
    [{ protocol: 'nonsense' }, /^protocol 'nonsense' is not one of text, binary/],
    [{ protocol: 'text', binary: true }, /contradict each other/],
    [{ socket_timeout: 1 }, /^unexpected option 'socket_timeout'/],
  ])('%o', (options, message) => {
    expect(() => new Client(['127.0.0.1:1'], options as never)).toThrow(message)
  })

  test('a Unix socket and families in python-memcached’s words: the error says how pylibmc has it', () => {
    expect(() => new Client(['unix:/tmp/mc.sock'])).toThrow(/pylibmc has no 'unix:', write "\/tmp\/mc.sock"/)
    expect(() => new Client(['inet6:[::1]:11211'])).toThrow(/pylibmc has no 'inet6:', write "\[::1\]:11211"/)
    expect(() => new Client(['inet:localhost:11211'])).toThrow(/write "localhost:11211"/)
  })
})

test('no number makes a client allocate without limit', () => {
  // libmemcached reduces weights to 16 bits.
  const heavy = ['127.0.0.1:1:1000000000', '127.0.0.1:2:1']
  const behaviors = { ketama: 1, ketama_weighted: 1 } as const
  expect(new Client(heavy, { behaviors }).hash('k')).toBeLessThan(2)
  expect(() => new CompatClient([['127.0.0.1:1', 1e9]])).not.toThrow()
  expect(() => new ClientPool(mc, 1e9)).toThrow(/1000000000/)
})

test('mappings that would lose keys are refused', async () => {
  for (const mapping of [{ [Symbol('s')]: 1 }, new Date(), new Set(['a']), [1], null, 'text', 5])
    await expect(mc.setMulti(mapping as never)).rejects.toThrow(TypeError)
  for (const keys of [null, undefined, 5, {}, new Map([['a', 1]])])
    for (const call of ['getMulti', 'deleteMulti', 'incrMulti'] as const)
      await expect(mc[call](keys as never)).rejects.toThrow(TypeError)
})
