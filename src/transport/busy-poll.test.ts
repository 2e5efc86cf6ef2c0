import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { BusyPoll } from './busy-poll.js'

/** Long enough for every pause of a busy machine. */
const LONG = 60_000

/** How often the poll looks at the connection. */
function watched(unanswered = 1) {
  const connection = {
    looks: 0,
    left: unanswered,
    get unanswered() {
      connection.looks++
      return connection.left
    },
  }
  return connection
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn()
}

describe('busy poll', () => {
  test('the loop turns until every connection has its replies', async () => {
    const poll = new BusyPoll(LONG)
    const [one, other] = [watched(), watched()]
    poll.wrote(one)
    poll.wrote(other)
    await turns(20)
    expect(other.looks).toBeGreaterThan(10)
    expect(one.looks).toBe(0)
    other.left = 0
    await turns(20)
    expect(one.looks).toBeGreaterThan(10)
    one.left = 0
    await turns(3)
    const { looks } = one
    await turns(20)
    expect(one.looks).toBe(looks)
  })

  test('it ends with the time, and later writes are polled for again after more and more that are not', async () => {
    const poll = new BusyPoll(0)
    const connection = watched()
    const polled: boolean[] = []
    for (let write = 0; write < 15; write++) {
      const { looks } = connection
      poll.wrote(connection)
      await turns(3)
      polled.push(connection.looks > looks)
    }
    const [yes, no] = [true, false]
    expect(polled).toEqual([yes, no, yes, no, no, no, yes, no, no, no, no, no, no, no, yes])
  })

  test('replies in time make it poll for more writes', async () => {
    const poll = new BusyPoll(0)
    const connection = watched()
    for (let write = 0; write < 3; write++) {
      poll.wrote(connection)
      await turns(3)
    }
    // Three writes are left out; the fourth is polled for and answered in time.
    connection.left = 0
    for (let write = 0; write < 4; write++) {
      poll.wrote(connection)
      await turns(3)
    }
    const { looks } = connection
    poll.wrote(connection)
    await turns(3)
    expect(connection.looks).toBeGreaterThan(looks)
  })
})
