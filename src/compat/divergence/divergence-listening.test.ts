import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { EventEmitter, on as eventsOn, once as eventsOnce } from 'node:events'
import { expect, test } from 'vitest'
import { Client, DivergenceLog } from '../index.js'

const ignore = (): void => {}
const another = (): void => {}

class Watched extends Client {
  get active(): boolean {
    return this.announcer.active
  }

  diverge(): void {
    this.announcer.announce('errors', { operation: 'get', compat: 'None', strict: 'raises' })
  }
}

const client = (): Watched => new Watched(['127.0.0.1:1'])

test.each(['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'] as const)(
  '%s adds a listener, and off and removeListener remove it',
  (add) => {
    for (const remove of ['off', 'removeListener'] as const) {
      const watched = client()
      expect(watched.active).toBe(false)
      expect(watched[add]('divergence', ignore)).toBe(watched)
      expect(watched.active).toBe(true)
      expect(watched[remove]('divergence', another)).toBe(watched)
      expect(watched.active).toBe(true)
      watched[remove]('divergence', ignore)
      expect(watched.active).toBe(false)
    }
  },
)

test('the last of several listeners counts, also of one that was added twice', () => {
  const watched = client().on('divergence', ignore).on('divergence', ignore).on('divergence', another)
  for (const [listener, after] of [
    [ignore, true],
    [another, true],
    [ignore, false],
  ] as const) {
    watched.off('divergence', listener)
    expect(watched.active).toBe(after)
  }
})

test.each(['once', 'prependOnceListener'] as const)(
  'no listener is left when %s has received its event',
  (add) => {
    const watched = client()
    let heard = 0
    watched[add]('divergence', () => heard++)
    watched.diverge()
    expect([watched.active, heard]).toEqual([false, 1])
  },
)

test.each([[[]], [['divergence']]])('removeAllListeners(%j) leaves no listener', (args) => {
  const watched = client().on('divergence', ignore).on('divergence', another)
  expect(Reflect.apply(watched.removeAllListeners, watched, args)).toBe(watched)
  expect(watched.active).toBe(false)
  watched.on('divergence', ignore)
  expect(watched.active).toBe(true)
})

test('removeAllListeners() with a removeListener listener, where Node removes one after another', () => {
  const watched = client()
  const emitter = watched as unknown as EventEmitter
  const removed: unknown[] = []
  emitter.on('removeListener', (name) => removed.push(name))
  watched.on('divergence', ignore)
  watched.removeAllListeners()
  expect([watched.active, removed]).toEqual([false, ['divergence']])
})

test('listeners of other events do not count', () => {
  const watched = client()
  const emitter = watched as unknown as EventEmitter
  emitter.on('mismatch', ignore)
  expect(watched.active).toBe(false)
  watched.on('divergence', ignore)
  emitter.removeAllListeners('mismatch')
  emitter.off('mismatch', ignore)
  expect(watched.active).toBe(true)
})

test('events.once and events.on', async () => {
  const watched = client()
  const promised = eventsOnce(watched, 'divergence')
  expect(watched.active).toBe(true)
  watched.diverge()
  await promised
  expect(watched.active).toBe(false)
  const iterator = eventsOn(watched, 'divergence')
  expect(watched.active).toBe(true)
  await iterator.return?.()
  expect(watched.active).toBe(false)
})

test('events.once that is aborted', async () => {
  const watched = client()
  const abort = new AbortController()
  const promised = eventsOnce(watched, 'divergence', { signal: abort.signal })
  expect(watched.active).toBe(true)
  abort.abort()
  await expect(promised).rejects.toThrow('aborted')
  expect(watched.active).toBe(false)
})

test('a DivergenceLog listens from attach until it is stopped', () => {
  const watched = client()
  const stop = new DivergenceLog().attach(watched)
  expect(watched.active).toBe(true)
  stop()
  expect(watched.active).toBe(false)
})

test('each client for itself; the diagnostics channel for all', () => {
  const [listened, silent] = [client().on('divergence', ignore), client()]
  expect([listened.active, silent.active]).toEqual([true, false])
  subscribe('memshim:divergence', ignore)
  expect(silent.active).toBe(true)
  listened.removeAllListeners()
  expect(listened.active).toBe(true)
  unsubscribe('memshim:divergence', ignore)
  expect([listened.active, silent.active]).toEqual([false, false])
})

test('no other emitter of Node is changed', () => {
  const emitter = new EventEmitter()
  expect(() => emitter.on('divergence', ignore).removeAllListeners()).not.toThrow()
})
