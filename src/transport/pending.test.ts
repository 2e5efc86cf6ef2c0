// Which connection may write at once.
import { expect, test } from 'vitest'
import { CallerWatch } from './pending.js'

function writes(callers: CallerWatch, connection: object, times: number): void {
  for (let i = 0; i < times; i++) callers.wrote(connection, true)
}

test('a connection is alone after nine single requests in a row', () => {
  const callers = new CallerWatch()
  const connection = {}
  writes(callers, connection, 8)
  expect(callers.isAlone(connection)).toBe(false)
  writes(callers, connection, 1)
  expect(callers.isAlone(connection)).toBe(true)
})

test('requests that leave together end it', () => {
  const callers = new CallerWatch()
  const connection = {}
  writes(callers, connection, 9)
  callers.wrote(connection, false)
  expect(callers.isAlone(connection)).toBe(false)
})

test('two connections that write in turn are never alone', () => {
  const callers = new CallerWatch()
  const [one, other] = [{}, {}]
  for (let i = 0; i < 20; i++) {
    writes(callers, one, 1)
    writes(callers, other, 1)
  }
  expect(callers.isAlone(one)).toBe(false)
  expect(callers.isAlone(other)).toBe(false)
})
