import { expect, it } from 'vitest'
import type { ConnectionEnd } from '../packets/connections.js'
import { type CommandExchange, Conversation } from './conversation.js'

it.each<[ConnectionEnd, number, null | undefined]>([
  ['closed', 0.1, null],
  // The capture ends before the reply, or long after it would have come.
  ['cut', 0.1, undefined],
  ['cut', 3, null],
  ['one-sided', 100, undefined],
])('a connection that is %s %d s after its last command leaves the reply %s', (how, seconds, reply) => {
  const exchanges: CommandExchange[] = []
  const counts = {
    exchanges: 0,
    restarts: 0,
    passedBytes: 0,
    strayBytes: 0,
    unknownReplies: 0,
    endless: 0,
  }
  const conversation = new Conversation(
    true,
    counts,
    (exchange) => exchanges.push(exchange),
    () => undefined,
  )
  conversation.request(Buffer.from('get a\r\n'), 10)
  conversation.end(10 + seconds, how)
  expect(exchanges).toMatchObject([{ settled: true, reply }])
  expect(counts.unknownReplies).toBe(reply === undefined ? 1 : 0)
})
