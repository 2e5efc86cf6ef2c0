/** Faults as docs/formats.md writes them; wrong ones are refused by the name of the field. */
import { expect, test } from 'vitest'
import { parseFault } from './fault.js'

test.each([
  { fault: 'down', server: 0 },
  { fault: 'close', server: 2, count: -1 },
  { fault: 'slow', server: 0, ms: 10, count: 3 },
  JSON.parse('{"fault":"truncate","server":0,"bytes":10,"then":"reset"}'),
  { fault: 'reply', server: 0, bytes: 'SERVER_ERROR oops\r\n' },
])('%o is a fault', (fault) => {
  expect(parseFault({ ...fault, t: 1.5 })).toEqual(fault)
})

test('the bytes of a reply may be repeated', () => {
  expect(parseFault({ fault: 'reply', server: 0, bytes: ['a', { $repeat: ['xy', 3] }] })).toMatchObject({
    bytes: 'axyxyxy',
  })
})

test.each([
  [{}, 'fault'],
  [{ fault: 'explode', server: 0 }, 'fault'],
  [{ fault: 'down' }, 'server'],
  [{ fault: 'down', server: -1 }, 'server'],
  [{ fault: 'close', server: 0, count: 0 }, 'count'],
  [{ fault: 'close', server: 0, count: '1' }, 'count'],
  [{ fault: 'reply', server: 0 }, 'bytes'],
  [{ fault: 'reply', server: 0, bytes: '\u20ac' }, 'bytes'],
  [{ fault: 'reply', server: 0, bytes: [null] }, 'bytes'],
  [{ fault: 'truncate', server: 0, bytes: 1.5 }, 'bytes'],
  [JSON.parse('{"fault":"truncate","server":0,"bytes":1,"then":"explode"}'), 'then'],
  [{ fault: 'slow', server: 0 }, 'ms'],
  [{ fault: 'slow', server: 0, ms: -1 }, 'ms'],
])('%o is refused for its field %s', (fault, field) => {
  expect(() => parseFault(fault)).toThrow(`field "${field}"`)
})
