import { expect, it } from 'vitest'
import { MemcacheServerError } from '../../pymemcache/index.js'
import { type Outcome, raised, returned } from '../compare/outcome.js'
import { reasonsBetween } from './explain.js'
import { targetSettings } from './options.js'

const settings = targetSettings({})

function names(call: string, args: readonly unknown[], before: Outcome, after: Outcome) {
  const compared = { client: 'c0', call: { call, args, kwargs: {} }, before, after, refused: false }
  return reasonsBetween(compared, settings, false).map((reason) => reason.switch)
}

it('a missing counter is a result, also if the text of the exception contains the word key', () => {
  const before = {
    raises: {
      class: 'pylibmc.NotFound',
      retcode: 16,
      message: 'error 16 from memcached_increment(session_key): NOT FOUND',
    },
  }
  expect(names('incr', ['session_key', 1], before, returned(null))).toEqual(['pymemcache-results'])
  // pymemcache has the counter: an earlier call stored it there only.
  expect(names('incr', ['session_key', 1], before, returned(3))).toEqual([])
})

it('the error says that a key was refused, whatever its text is', () => {
  const before: Outcome = { raises: { class: 'builtins.ValueError', message: 'too long', refused: 'key' } }
  expect(names('get', ['k'], before, returned(null))).toEqual(['pymemcache-keys'])
})

it('the error says that an item was too large, whatever its text is', () => {
  const refused = raised(new MemcacheServerError("b'no'", undefined, 'size'))
  expect(names('append', ['k', 'v'], returned(1), refused)).toContain('pymemcache-oversize')
  expect(names('append', ['k', 'v'], returned(1), raised(new MemcacheServerError("b'large'")))).toContain(
    'pymemcache-failures',
  )
})
