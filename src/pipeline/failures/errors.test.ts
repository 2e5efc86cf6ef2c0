// Two copies of the package in one process: each recognises the errors of the other.
import { expect, test, vi } from 'vitest'
import * as errors from './errors.js'

test('errors of another copy are instances, by class, and users’ subclasses are compared as usual', async () => {
  vi.resetModules()
  const other = await import('./errors.js')
  expect(other.MemcachedError).not.toBe(errors.MemcachedError)
  const missing = new other.NotFound('1 keys not found')
  expect(missing).toBeInstanceOf(errors.NotFound)
  expect(missing).toBeInstanceOf(errors.MemcachedError)
  expect(missing).not.toBeInstanceOf(errors.ServerDown)
  expect(new other.CacheMiss()).toBeInstanceOf(errors.CacheMiss)
  expect(new other.MemcachedError()).not.toBeInstanceOf(errors.NotFound)
  class Own extends errors.NotFound {}
  expect(new Own()).toBeInstanceOf(Own)
  expect(new Own()).toBeInstanceOf(other.NotFound)
  expect(missing).not.toBeInstanceOf(Own)
  for (const value of [undefined, null, 5, 'x', {}, new Error('x'), Object.create(null)])
    expect(value).not.toBeInstanceOf(errors.MemcachedError)
})

test('transport errors of another copy as well', async () => {
  vi.resetModules()
  const { TransportError } = await import('../../transport/errors.js')
  vi.resetModules()
  const again = await import('../../transport/errors.js')
  expect(new again.TransportError('closed', 's', 'm')).toBeInstanceOf(TransportError)
})
