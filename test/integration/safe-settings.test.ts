/** What the setting `safe` gives where python-memcached's behaviour is a mistake, beside the mistake itself. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Client, type ClientOptions, type PresetName, presets, switches } from '../../src/compat/index.js'
import { EmbeddedServer } from '../../src/server/index.js'
import { settlesBefore } from '../support/settles-before.js'

let servers: EmbeddedServer[]
beforeEach(async () => {
  servers = [await new EmbeddedServer().start(), await new EmbeddedServer().start()]
})
afterEach(() => Promise.all(servers.map((server) => server.stop())))

const faithful: PresetName = 'python-memcached-1.62'
const safe: PresetName = 'python-memcached-1.62-safe'

function client(emulate: PresetName, options: ClientOptions = {}, count = 1): Client {
  const addresses = servers.slice(0, count).map(({ address }) => address)
  return new Client(addresses, { emulate, socketTimeout: 1, ...options })
}

test('the presets: every switch that can be safe is, in -safe presets alone', () => {
  for (const { name, safe: what, preset } of switches) {
    expect(presets[safe].switches[name]).toBe(what ? 'safe' : 'python-memcached')
    expect(presets[faithful].switches[name]).toBe(preset ?? 'python-memcached')
    expect(presets.pylibmc.switches[name]).toBe('pylibmc')
  }
})

test('probe-limit: a key finds the server that lives', async () => {
  const [old, better] = [client(faithful, {}, 2), client(safe, {}, 2)]
  await servers[0]!.fault({ fault: 'down' })
  // docs/reference/python-memcached.md#6.4: all ten probes of key:3551 meet the first of two servers.
  expect([await old.set('key:3551', 1), await better.set('key:3551', 1)]).toEqual([0, true])
})

test('set-multi-losses: keys lost by a reset are listed', async () => {
  for (const [emulate, listed] of [
    [faithful, []],
    [safe, ['a', 'b']],
  ] as const) {
    const one = client(emulate)
    await one.get('warm')
    await servers[0]!.fault({ fault: 'reset' })
    expect(await one.setMulti({ a: 1, b: 2 })).toEqual(listed)
    one.disconnectAll()
  }
})

test('set-multi-oversize: no wait, no dead server', async () => {
  for (const [emulate, dead] of [
    [faithful, true],
    [safe, false],
  ] as const) {
    const one = client(emulate, { serverMaxValueLength: 100 })
    await one.get('warm')
    const refused = one.setMulti({ a: 1, big: 'x'.repeat(101) })
    // The faithful client waits for a second; a machine that stands still may make the other one late too.
    if (dead) expect(await settlesBefore(refused, 990)).toBe(false)
    expect(await refused).toEqual(['big'])
    expect(one.servers[0]!.dead).toBe(dead)
    one.disconnectAll()
  }
})

test('error-line-stall: an error line ends the reply', async () => {
  for (const [emulate, dead] of [
    [faithful, true],
    [safe, false],
  ] as const) {
    const one = client(emulate)
    await one.get('warm')
    await servers[0]!.fault({ fault: 'reply', bytes: 'SERVER_ERROR out\r\n' })
    expect(await one.getMulti(['a', 'b'])).toEqual(new Map())
    expect(one.servers[0]!.dead).toBe(dead)
    one.disconnectAll()
  }
})

test('get-default-on-failure: the default is for failures, too', async () => {
  const [old, better] = [client(faithful), client(safe)]
  await servers[0]!.fault({ fault: 'down' })
  expect([await old.get('k', 'default'), await better.get('k', 'default')]).toEqual([null, 'default'])
})

test('debug-raises: log lines change no result', async () => {
  for (const [emulate, outcome] of [
    [faithful, "raises AttributeError: 'str' object has no attribute 'decode'"],
    [safe, 'gives 1'],
  ] as const) {
    const one = client(emulate, { debug: () => undefined })
    await one.get('warm')
    await servers[0]!.fault({ fault: 'close' })
    const told = await one.deleteMulti(['k']).then(
      (result) => `gives ${result}`,
      (error: Error) => `raises ${error.name}: ${error.message}`,
    )
    expect(told).toBe(outcome)
    one.disconnectAll()
  }
})

test('bytes-and-text: set_multi lists only the keys that are not stored', async () => {
  // fixtures/recordings/multi/set-multi-servers.json, python-memcached 1.57 and 1.58
  for (const [emulate, unstored] of [
    ['python-memcached-1.57', ['a', 'b']],
    ['python-memcached-1.57-safe', []],
  ] as const) {
    const one = client(emulate)
    expect(await one.setMulti({ a: 1, b: 2 })).toEqual(unstored)
    one.disconnectAll()
  }
})

test('trailing-newline-keys: refused, also where the connection may get out of step', async () => {
  const reading = { desynchronisation: 'python-memcached' } as const
  const old = client(faithful, { switches: { ...reading, 'trailing-newline-keys': 'python-memcached' } })
  await old.set('u2', 'two')
  expect(await old.get('u1\n')).toBeNull()
  // The server's ERROR to the second line is the next reply: docs/reference/python-memcached.md#14.
  expect(await old.get('u2')).toBeNull()
  old.disconnectAll()
  for (const switches of [{}, reading]) {
    const better = client(safe, { switches })
    expect(() => better.checkKey(Buffer.from('u1\n'))).toThrow('Control/space characters not allowed')
    await expect(better.get('u1\n')).rejects.toMatchObject({ name: 'MemcachedKeyCharacterError' })
    expect(await better.get('u2')).toBe('two')
    better.disconnectAll()
  }
})

test('desynchronisation: a reply that was not read in time answers no other call', async () => {
  for (const [switches, value] of [
    // The rest of the reply is taken for the answer: the value of another key.
    [{ desynchronisation: 'python-memcached' }, 1],
    [{}, 'two'],
  ] as const) {
    const one = client(safe, { switches })
    await one.set('u2', 'two')
    await servers[0]!.fault({ fault: 'reply', bytes: 'VALUE u1 2 1\r\nx\r\nVALUE u3 2 1\r\n1\r\nEND\r\n' })
    await expect(one.getMulti(['u1', 'u3'])).rejects.toThrow('invalid literal')
    expect(await one.get('u2')).toEqual(value)
    one.disconnectAll()
  }
})

test('every switch that can be safe is shown here or with key_encoder', () => {
  const shown = [import.meta.filename, join(import.meta.dirname, 'key-encoder.test.ts')]
    .map((file) => readFileSync(file, 'utf8'))
    .join('')
  for (const { name, safe: what } of switches)
    if (what) expect(shown).toMatch(new RegExp(`['\`]${name}[:\`]`))
})

describe('flush_on_reconnect (docs/reference/python-memcached.md#7.4)', () => {
  async function returned(fault: 'stall' | 'close'): Promise<Client> {
    const one = client(faithful, { flushOnReconnect: true, deadRetry: 0.01 })
    await one.set('k', 1)
    await servers[0]!.fault({ fault: 'close' })
    expect(await one.get('k')).toBeNull()
    await new Promise((resolve) => setTimeout(resolve, 20))
    await servers[0]!.fault({ fault })
    return one
  }

  test('a flush that is not answered leaves any operation as TimeoutError, and is tried again', async () => {
    const one = await returned('stall')
    await expect(one.get('k')).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(one.servers[0]!.dead).toBe(false)
    one.disconnectAll()
    // The second flush gets through: nothing is left.
    expect(await one.get('k')).toBeNull()
  })

  test('a flush that meets a closed connection raises AttributeError, once', async () => {
    const one = await returned('close')
    await expect(one.get('k')).rejects.toMatchObject({ name: 'AttributeError' })
    expect(one.servers[0]!.dead).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await one.get('k')).toBe(1)
    one.disconnectAll()
  })
})
