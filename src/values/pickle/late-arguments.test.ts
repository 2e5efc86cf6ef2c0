import { expect, test } from 'vitest'
import { EmptyArguments, isLateArgument } from './late-arguments.js'

test('a container that was empty when it became an argument and grows later is a late argument', () => {
  const [late, filled, empty] = [new Map(), [1], new Set()]
  const notes = new EmptyArguments()
  notes.note([late, filled, empty, 'text'])
  notes.grows(late)
  notes.grows(filled)
  expect([late, filled, empty].map(isLateArgument)).toEqual([true, false, false])
})

// A pickle may call a class a million times with one tuple of a million items: reading it must stay linear.
test('a long tuple that many objects are made of is looked at once', () => {
  let reads = 0
  const args = new Proxy(
    Array.from({ length: 1000 }, () => 'text'),
    {
      get(target, name, receiver) {
        if (name !== 'length') reads++
        return Reflect.get(target, name, receiver)
      },
    },
  )
  const notes = new EmptyArguments()
  for (let i = 0; i < 100; i++) notes.note(args)
  expect(reads).toBeGreaterThanOrEqual(1000)
  expect(reads).toBeLessThan(1100)
})
