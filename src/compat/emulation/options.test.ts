/** What the constructor and the calls of the compat client refuse, before anything is sent. */
import { describe, expect, test } from 'vitest'
import { Client, type ClientOptions } from '../index.js'

const nobody = ['127.0.0.1:1']
const make = (options: unknown) => () => new Client(nobody, options as ClientOptions)

describe('options of the constructor', () => {
  test.each<[string, unknown, string]>([
    ['an array', [], 'options must be a plain object'],
    ['a symbol as name', { [Symbol('x')]: 1 }, 'unexpected option Symbol(x)'],
    ['the Python spelling', { socket_timeout: 1 }, "it is called 'socketTimeout' here"],
    ['a preset from Object.prototype', { emulate: 'toString' }, "emulate 'toString' is not one of"],
    ['a preset that is not text', { emulate: 1n }, 'emulate 1 is not one of'],
    ['a switch from Object.prototype', { switches: { toString: 'safe' } }, "switch 'toString' is not one of"],
    ['switches that are an array', { switches: ['errors'] }, 'switches must be an object'],
    ['a setting from Object.prototype', { switches: { errors: 'valueOf' } }, "switch errors 'valueOf'"],
    ['a symbol as a limit', { deadRetry: Symbol('x') }, 'deadRetry Symbol(x) is not a number'],
    ['a bigint as the timeout', { socketTimeout: 3n }, 'socketTimeout 3 is not a number of seconds'],
    ['a hook that is not a function', { keyEncoder: 'utf8' }, "keyEncoder must be a function, not 'utf8'"],
    ['a clock that is not a function', { now: 5 }, 'now must be a function, not 5'],
    ['text where true or false is meant', { cacheCas: 'no' }, "cacheCas must be true or false, not 'no'"],
    ['text as debug', { debug: 'yes' }, "debug must be true, false or a function, not 'yes'"],
  ])('%s', (_what, options, message) => {
    expect(make(options)).toThrow(message)
  })

  test('options without a prototype, and Python’s 1 for true', () => {
    expect(make(Object.assign(Object.create(null), { cacheCas: 1 }))).not.toThrow()
  })
})

describe('options of calls', () => {
  const client = new Client(nobody, { emulate: 'python-memcached-1.59' })
  const call = (method: string, ...args: unknown[]): Promise<unknown> =>
    (client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>)[method]!(...args)

  test.each<[string, unknown[], string]>([
    ['set', ['k', 1, { ttl: 5 }], "it is called 'time' here"],
    ['set', ['k', 1, { min_compress_len: 5 }], "it is called 'minCompressLen' here"],
    ['set', ['k', 1, { keyPrefix: 'p' }], 'there are time, minCompressLen, noreply'],
    ['set', ['k', 1, { compressLevel: 3 }], 'there are time, minCompressLen, noreply'],
    ['add', ['k', 1, new Date()], 'options must be a plain object, not Date'],
    ['replace', ['k', 1, [60]], 'options must be a plain object, not list'],
    ['append', ['k', 1, new Map([['time', 1]])], 'options must be a plain object'],
    ['cas', ['k', 1, { timeout: 5 }], "unexpected option 'timeout'"],
    ['cas', ['k', 1, 5n, { ttl: 5 }], "it is called 'time' here"],
    ['setMulti', [{ k: 1 }, { key_prefix: 'p' }], "it is called 'keyPrefix' here"],
    ['setMulti', [{ k: 1 }, { signal: 1 }], "unexpected option 'signal'"],
    ['getMulti', [['k'], { prefix: 'p' }], "it is called 'keyPrefix' here"],
    ['getMulti', [['k'], { key_prefix: 'p' }], "it is called 'keyPrefix' here"],
    ['incr', ['k', 1, { noReply: true }], "it is called 'noreply' here"],
    ['decr', ['k', 1, { delta: 2 }], "unexpected option 'delta'"],
    ['delete', ['k', { ttl: 1 }], "it is called 'time' here"],
    ['deleteMulti', [['k'], { prefix: 'p' }], "it is called 'keyPrefix' here"],
    ['touch', ['k', { ttl: 1 }], "it is called 'time' here"],
    ['touch', ['k', 5, { ttl: 1 }], "it is called 'time' here"],
    ['flushAll', [{ delay: 1 }], "unexpected option 'delay'"],
  ])('%s(…), case %#', async (method, args, message) => {
    await expect(call(method, ...args)).rejects.toThrow(message)
  })
})
