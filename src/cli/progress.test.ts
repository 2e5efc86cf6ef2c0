import { expect, test } from 'vitest'
import { progressLine, progressText } from './progress.js'

test('rate, share and time left', () => {
  expect(progressText({ phase: 'replay', operations: 250_000, t: 60, share: 0.25 }, 50)).toBe(
    'replaying: 250,000 operations (25 %), 5,000/s, 2:30 left',
  )
  expect(progressText({ phase: 'verify', operations: 10, t: 1.25 }, 0)).toBe(
    'verifying: 10 operations, 1.3 s of the trace',
  )
  expect(progressText({ phase: 'replay', operations: 1_000_000, t: 1, share: 0.01 }, 100)).toContain(
    '2:45:00 left',
  )
})

test('ten times a second on a terminal, every ten seconds elsewhere', () => {
  for (const [isTTY, expected] of [
    [true, 200],
    [false, 2],
  ] as const) {
    let time = 0
    const written: string[] = []
    const line = progressLine({ isTTY, write: (text) => written.push(text) }, () => time)
    for (; time < 20_001; time += 10) line.show({ phase: 'replay', operations: time, t: 0 })
    expect(Math.abs(written.length - expected)).toBeLessThanOrEqual(1)
    expect(written.every((text) => text.endsWith('\n') !== isTTY)).toBe(true)
  }
})

test('a narrow terminal gets no line that wraps', () => {
  for (const columns of [1, 20, 40, 200]) {
    const written: string[] = []
    const line = progressLine({ isTTY: true, columns, write: (text) => written.push(text) })
    line.show({ phase: 'replay', operations: 250_000, t: 60, share: 0.25 })
    const [text = ''] = written
    expect(text).toMatch(/^\r\x1b\[Kr/)
    expect(text.length - '\r\x1b[K'.length).toBeLessThanOrEqual(Math.max(1, columns - 1))
  }
})
