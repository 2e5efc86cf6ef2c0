// The queue of replies that are due: order, and that nothing answered is kept.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Fifo } from './requests.js'

test('behaves like an array that is pushed to and shifted from', () => {
  const step = fc.oneof(
    fc.record({ push: fc.nat() }),
    fc.record({ shift: fc.integer({ min: 1, max: 3000 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), fc.nat(3000), (steps, ahead) => {
      const fifo = new Fifo<number>()
      const model: number[] = []
      const push = (number: number) => {
        fifo.push(number)
        model.push(number)
      }
      for (let i = 0; i < ahead; i++) push(i)
      for (const step of steps) {
        if ('push' in step) push(step.push)
        else for (let i = 0; i < step.shift; i++) expect(fifo.shift()).toBe(model.shift())
        expect(fifo.first).toBe(model[0])
        expect(fifo.length).toBe(model.length)
        expect(fifo.rest()).toEqual(model)
      }
    }),
    { numRuns: 15 },
  )
})

test('lets go of what has left', async () => {
  const { gc } = globalThis
  const fifo = new Fifo<object>()
  let gone = 0
  const registry = new FinalizationRegistry(() => gone++)
  for (let i = 0; i < 100; i++) {
    const item = { i }
    registry.register(item, i)
    fifo.push(item)
  }
  for (let i = 0; i < 99; i++) fifo.shift()
  expect(gc).toBeTypeOf('function')
  for (let round = 0; round < 20 && gone < 99; round++) {
    gc?.()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(gone).toBe(99)
  expect(fifo.length).toBe(1)
})
