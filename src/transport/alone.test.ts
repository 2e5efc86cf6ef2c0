// Which connection may write at once.
import { expect, test } from 'vitest'
import { isAlone, wrote } from './alone.js'

function writes(connection: object, times: number): void {
  for (let i = 0; i < times; i++) wrote(connection, true)
}

test('a connection is alone after nine single requests in a row', () => {
  const connection = {}
  writes(connection, 8)
  expect(isAlone(connection)).toBe(false)
  writes(connection, 1)
  expect(isAlone(connection)).toBe(true)
})

test('requests that leave together end it', () => {
  const connection = {}
  writes(connection, 9)
  wrote(connection, false)
  expect(isAlone(connection)).toBe(false)
})

test('two connections that write in turn are never alone', () => {
  const [one, other] = [{}, {}]
  for (let i = 0; i < 20; i++) {
    writes(one, 1)
    writes(other, 1)
  }
  expect(isAlone(one)).toBe(false)
  expect(isAlone(other)).toBe(false)
})
