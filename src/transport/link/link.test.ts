// When requests leave while replies are being read. Replies are one byte each here.
import { expect, test, vi } from 'vitest'
import { Intake } from './link.js'

/** A connection whose callers ask again as soon as they are answered. */
function connection(inFlight: number) {
  const log: string[] = []
  let unanswered = inFlight
  let queued = 0
  let open = true
  const conversation = {
    push: ({ length }: Buffer) => {
      log.push(`read ${length}`)
      unanswered -= length
      // Three promises between a reply and the caller's next request.
      for (let i = 0; i < length; i++)
        Promise.resolve()
          .then(() => {})
          .then(() => {})
          .then(() => queued++)
    },
  }
  const owner = {
    get unanswered() {
      return unanswered
    },
    get queued() {
      return queued
    },
    flush: () => {
      log.push(`write ${queued}`)
      unanswered += queued
      queued = 0
    },
  }
  const intake = new Intake(conversation, owner, (step) => {
    if (open) step()
  })
  const take = (bytes: number) => intake.take(Buffer.alloc(bytes))
  /** What the callers ask leaves. */
  const ask = () => {
    unanswered += queued
    queued = 0
  }
  return {
    log,
    take,
    ask,
    /** Three turns that the server answers at once, each asked for at the end of the one before. */
    async answerAtOnce() {
      for (let i = 0; i < 3; i++) {
        take(unanswered)
        await turn()
        ask()
      }
      log.length = 0
    },
    finish: () => intake.finish(),
    close: () => {
      open = false
    },
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('all replies at once for the fourth time: the first half of the callers asks again before the second half is read', async () => {
  const { log, take, answerAtOnce } = connection(100)
  await answerAtOnce()
  take(100)
  await turn()
  expect(log).toEqual(['read 50', 'write 50', 'read 50'])
})

test('a server that is still at work on a third of the requests: nothing leaves early, and no halves after that', async () => {
  const { log, take, answerAtOnce } = connection(100)
  await answerAtOnce()
  take(25)
  await turn()
  expect(log).toEqual(['read 12', 'read 13'])
  take(75)
  await turn()
  expect(log).toEqual(['read 12', 'read 13', 'read 75'])
})

test('a server that has not answered whole turns at once: no halves', async () => {
  const { log, take } = connection(100)
  take(60)
  await turn()
  take(40)
  await turn()
  expect(log).toEqual(['read 60', 'write 60', 'read 40'])
})

test('few requests: a write of their own costs more than it saves', async () => {
  const { log, take, answerAtOnce } = connection(7)
  await answerAtOnce()
  take(7)
  await turn()
  expect(log).toEqual(['read 7'])
})

test('eight requests: halves of four', async () => {
  const { log, take, answerAtOnce } = connection(8)
  await answerAtOnce()
  take(8)
  await turn()
  expect(log).toEqual(['read 4', 'write 4', 'read 4'])
})

test('few requests whose groups meet again at once: the next halves come after twice as many turns', async () => {
  const { log, take, ask, answerAtOnce } = connection(8)
  await answerAtOnce()
  const whole: number[] = []
  for (let halved = 0; halved < 4; halved++) {
    let turns = 0
    for (;;) {
      log.length = 0
      take(8)
      await turn()
      if (log[0] === 'read 4') break
      turns++
      ask()
    }
    ask()
    whole.push(turns)
  }
  expect(whole).toEqual([0, 6, 12, 24])
})

test('few requests whose groups stay apart: no halves, and again after three turns once they have met', async () => {
  const { log, take, ask, answerAtOnce } = connection(8)
  await answerAtOnce()
  take(8)
  await turn()
  for (let i = 0; i < 8; i++) {
    ask()
    log.length = 0
    take(4)
    await turn()
    expect(log).toEqual(['read 4'])
  }
  for (let i = 0; i < 3; i++) {
    ask()
    log.length = 0
    take(8)
    await turn()
    expect(log).toEqual(['read 8'])
  }
  ask()
  log.length = 0
  take(8)
  await turn()
  expect(log).toEqual(['read 4', 'write 4', 'read 4'])
})

test('between two chunks: once as much is asked for as is unanswered', async () => {
  const { log, take } = connection(70_000)
  take(33_000)
  await turn()
  take(33_000)
  await turn()
  take(1000)
  await turn()
  expect(log).toEqual(['read 33000', 'read 33000', 'write 66000', 'read 1000'])
})

test('the next chunk and the end of the connection come after the half that waits', async () => {
  const { log, take, finish, answerAtOnce } = connection(100)
  await answerAtOnce()
  take(60)
  take(10)
  finish()
  finish()
  await turn()
  expect(log).toEqual(['read 30', 'read 30', 'read 5', 'read 5'])
})

test('a connection that was closed by a caller meanwhile: the rest is not read', async () => {
  const { log, take, close, answerAtOnce } = connection(100)
  await answerAtOnce()
  take(100)
  close()
  await turn()
  expect(log).toEqual(['read 50'])
})

test('a program that fakes microtasks for its own tests does not stop the client', async () => {
  const { log, take, answerAtOnce } = connection(100)
  await answerAtOnce()
  vi.useFakeTimers({ toFake: ['queueMicrotask'] })
  try {
    take(100)
    await turn()
  } finally {
    vi.useRealTimers()
  }
  expect(log).toEqual(['read 50', 'write 50', 'read 50'])
})
