import { describe, expect, it } from 'vitest'
import { KeyError, ValueError } from '../../python/errors.js'
import type { TypedJson } from '../../values/index.js'
import { impactOf, type Outcome, raised, returned, sameOutcome } from './outcome.js'

const none: Outcome = { result: null }
const notFound: Outcome = { raises: { class: 'pylibmc.NotFound', retcode: 16 } }

describe('outcomes', () => {
  it('names exceptions by their Python class', () => {
    expect(raised(new ValueError('x'))).toEqual({ raises: { class: 'builtins.ValueError', message: 'x' } })
    expect(raised(new KeyError('k'))).toMatchObject({ raises: { class: 'builtins.KeyError' } })
    expect(raised(new TypeError('t'))).toMatchObject({ raises: { class: 'builtins.TypeError' } })
    expect(raised(new SyntaxError('ours'))).toMatchObject({ raises: { class: 'javascript.SyntaxError' } })
  })

  it('takes "nothing" for None', () => {
    expect(returned(undefined)).toEqual(none)
  })

  it('compares dictionaries without order, lists with it', () => {
    expect(sameOutcome({ result: { a: 1, b: 2 } }, { result: { b: 2, a: 1 } })).toBe(true)
    expect(
      sameOutcome(
        {
          result: {
            $dict: [
              [1, 2],
              [3, 4],
            ],
          },
        },
        {
          result: {
            $dict: [
              [3, 4],
              [1, 2],
            ],
          },
        },
      ),
    ).toBe(true)
    expect(sameOutcome({ result: ['a', 'b'] }, { result: ['b', 'a'] })).toBe(false)
  })

  it('keeps 1, True, 1.0 and "1" apart', () => {
    const json: TypedJson[] = [1, true, { $float: '1.0' }, '1', { $bytes: '1' }]
    const values = json.map((result): Outcome => ({ result }))
    for (const [i, a] of values.entries()) {
      for (const [j, b] of values.entries()) expect(sameOutcome(a, b)).toBe(i === j)
    }
  })

  it('compares exceptions by class and return code, not by message', () => {
    expect(sameOutcome(notFound, { raises: { class: 'pylibmc.NotFound', retcode: 16, message: 'x' } })).toBe(
      true,
    )
    expect(sameOutcome(notFound, { raises: { class: 'pylibmc.Error' } })).toBe(false)
    expect(sameOutcome(notFound, none)).toBe(false)
  })

  it('ranks what a difference does to the code that sees it', () => {
    expect(impactOf(none, notFound)).toBe('raises')
    expect(impactOf({ raises: { class: 'builtins.ValueError' } }, { result: 1 })).toBe('stops-raising')
    expect(impactOf({ result: 1 }, { result: true })).toBe('spelling')
    expect(impactOf({ result: 1 }, { result: false })).toBe('truth')
    expect(impactOf(none, { result: 'x' })).toBe('truth')
    expect(impactOf({ result: 'a' }, { result: 'b' })).toBe('value')
    expect(impactOf({ result: 'a' }, { result: 'a' })).toBe('state')
  })

  it('knows which Python values are false', () => {
    const pairs: [Outcome, boolean][] = [
      [{ result: [] }, false],
      [{ result: {} }, false],
      [{ result: { $bytes: '' } }, false],
      [{ result: { $float: '0.0' } }, false],
      [{ result: { $tuple: [] } }, false],
      [{ result: { $tuple: [0] } }, true],
      [{ result: { a: 0 } }, true],
      [{ result: { $bytes: '0' } }, true],
    ]
    for (const [outcome, truth] of pairs) {
      expect([outcome, impactOf(outcome, { result: 'yes' })]).toEqual([outcome, truth ? 'value' : 'truth'])
    }
  })
})
