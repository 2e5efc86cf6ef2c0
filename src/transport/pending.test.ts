// Which connection may write at once.
import { expect, test } from 'vitest'
import { CallerWatch, type WatchedConnection } from './pending.js'

function writes(callers: CallerWatch, connection: WatchedConnection, times: number): void {
  for (let i = 0; i < times; i++) callers.wrote(connection, true)
}

test('a connection is alone after nine single requests in a row', () => {
  const callers = new CallerWatch()
  const connection = { idle: false }
  writes(callers, connection, 8)
  expect(callers.isAlone(connection)).toBe(false)
  writes(callers, connection, 1)
  expect(callers.isAlone(connection)).toBe(true)
})

test('requests that leave together end it', () => {
  const callers = new CallerWatch()
  const connection = { idle: false }
  writes(callers, connection, 9)
  callers.wrote(connection, false)
  expect(callers.isAlone(connection)).toBe(false)
})

test('one caller of two servers: the connections are alone when each request has been answered before the next', () => {
  const callers = new CallerWatch()
  const [one, other] = [{ idle: true }, { idle: true }]
  for (let i = 0; i < 5; i++) {
    writes(callers, one, 1)
    writes(callers, other, 1)
  }
  expect(callers.isAlone(one)).toBe(true)
  expect(callers.isAlone(other)).toBe(true)
  other.idle = false
  expect(callers.isAlone(one)).toBe(false)
})

test('two connections that wait at the same time are never alone', () => {
  const callers = new CallerWatch()
  const [one, other] = [{ idle: false }, { idle: false }]
  for (let i = 0; i < 20; i++) {
    writes(callers, one, 1)
    writes(callers, other, 1)
  }
  expect(callers.isAlone(one)).toBe(false)
  expect(callers.isAlone(other)).toBe(false)
})
