/**
 * Conversations recorded from real memcacheds of several versions (fixtures/conversations): the embedded server holds them as each of these
 * versions, and the real memcached that is installed holds them as its own version.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { startServer } from '../../../src/server/index.js'
import {
  type Exchange,
  exchangesOf,
  loadTopics,
  neighbours,
  numbered,
  type Reply,
  statisticsIn,
  type Uniques,
  volatile,
  withLastUnique,
} from '../../support/conversations.js'
import { embeddedOptions } from '../../support/embedded-options.js'
import { memcachedVersion, startMemcached } from '../../support/memcached.js'

const topics = loadTopics()
/** Milliseconds after which a reply that is due is missing. */
const patience = 60_000
/** Milliseconds in which a reply that was not recorded would have shown. */
const silence = 15
/** Seconds that a conversation may take besides its sleeps: the shortest exptime is 1 where there are sleeps, elsewhere 30. */
const haste = { timed: 0.8, other: 8 }
/** So many conversations with real servers at a time. */
const atOnce = 6

/** What the embedded server does not do as some versions do, and why; `*`: any conversation of the topic. docs/server.md lists them. */
const apart: readonly { versions: string; topics: RegExp; why: string }[] = [
  { versions: '1.4.39', topics: /^(binary-)?full,|largest value/, why: 'how 1.4 keeps large items' },
  { versions: '1.4.39', topics: /^statistics, (items and slabs|counted|settings)|^binary-administration, (stat|counted)/, why: 'what 1.4 counts per slab class' },
  { versions: '1.4.39 1.5.22', topics: /^sizes, too large, noreply/, why: 'up to 1.5 a connection ends with a quiet store that is too large' },
  { versions: '1.4.39 1.6.0 1.6.6 1.6.9', topics: /^meta, ms too large/, why: 'a value that is taken for a command line, and is too long for one' },
  { versions: '1.5.22', topics: /^meta,/, why: 'the meta commands of 1.5 were an experiment with other forms' },
  { versions: '1.6.0', topics: /^meta, ma refused/, why: '1.6.0 takes `ma` without a key for a key that is missing' },
  { versions: '1.4.39 1.5.22 1.6.0 1.6.6', topics: /^numbers, times of flush_all/, why: 'up to 1.6.6 flush_all takes negative times for times in the future' },
  { versions: '1.5.22', topics: /^(statistics|binary-administration), (names|counted|stat)$/, why: '1.5 counts the connection that waits as rejected' },
] // biome-ignore format: one list

const isApart = (title: string, version: string) =>
  apart.some(({ versions, topics }) => versions.split(' ').includes(version) && topics.test(title))

const installed = await memcachedVersion()

test('the recordings cover at least 8 versions and 150 exchanges', () => {
  const exchanges = topics.flatMap(({ conversations }) => conversations.flatMap((c) => c.exchanges))
  expect(exchanges.length).toBeGreaterThanOrEqual(150)
  for (const { memcached } of topics) expect(memcached.length).toBeGreaterThanOrEqual(8)
})

describe('the embedded server answers as each recorded version', () => {
  for (const topic of topics) {
    for (const conversation of topic.conversations) {
      const title = `${topic.name}, ${conversation.about}`
      test.concurrent(title, { timeout: 240_000 }, async () => {
        const differences: Record<string, string> = {}
        const hold = async (version: string) => {
          // A recorded sleep is all the time that passes on the server's clock, however slow this machine is.
          let now = Date.now() / 1000
          const options = { version, clock: () => now, ...embeddedOptions(topic.args) }
          await using server = await startServer(options)
          const exchanges = exchangesOf(conversation, [version])
          const pass = async (seconds: number) => {
            now += seconds
          }
          const difference = await converse(server.port, exchanges, pass, sameStatistics)
          if (difference !== undefined) differences[version] = difference
        }
        await Promise.all(topic.memcached.filter((version) => !isApart(title, version)).map(hold))
        expect(differences).toEqual({})
      })
    }
  }
})

describe(`memcached ${installed} answers as its version does`, () => {
  for (const topic of topics) {
    const versions = neighbours(topic.memcached, installed)
    const everywhere = topic.memcached
    test(topic.name, { timeout: 240_000 }, async () => {
      const waiting = [...topic.conversations]
      const talk = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const always = exchangesOf(next, everywhere)
          const difference = await converseLive(exchangesOf(next, versions), topic.args, (index) =>
            namesInAll(always[index]!),
          )
          expect(difference, next.about).toBeUndefined()
        }
      }
      await Promise.all(Array.from({ length: atOnce }, talk))
    })
  }
})

/**
 * Each has a server of its own, whose clock has just begun a second: what lives for one second is there before the sleep. Where this machine
 * was so slow that it may have expired, the conversation is held again.
 */
async function converseLive(
  exchanges: readonly Exchange[],
  args: readonly string[],
  required: (index: number) => ReadonlySet<string>,
): Promise<string | undefined> {
  const timed = exchanges.some((exchange) => 'sleep' in exchange)
  for (let attempt = 1; ; attempt++) {
    const started = performance.now()
    const memcached = await startMemcached({ args })
    let slept = 0
    try {
      const pass = async (seconds: number) => {
        slept += seconds
        await sleep(seconds * 1000)
      }
      const difference = await converse(memcached.port, exchanges, pass, (reply, received, index) =>
        sharedStatistics(reply, received, required(index)),
      )
      const took = (performance.now() - started) / 1000 - slept
      const inTime = took < (timed ? haste.timed : haste.other)
      // memcached loses a reply when it hangs up over requests that arrive in one piece, which a busy machine makes of two.
      const lost = difference?.endsWith(nothingSaid) ?? false
      if (difference === undefined || (inTime && !lost) || attempt === 5) return difference
    } finally {
      await memcached.stop()
    }
  }
}

type CompareStatistics = (reply: Reply, received: string, index: number) => boolean

/** @returns the first difference in words */
async function converse(
  port: number,
  exchanges: readonly Exchange[],
  pass: (seconds: number) => Promise<void>,
  compareStatistics: CompareStatistics,
): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1')
  const { heard, reset } = listen(socket)
  let uniques: Uniques = new Map()
  try {
    for (const [index, exchange] of exchanges.entries()) {
      if ('sleep' in exchange) {
        await pass(exchange.sleep)
        continue
      }
      const { send, allowed, statistics } = exchange
      // One of the versions hung up before, and this server may have done so as well.
      if (allowed.length === 0) break
      socket.write(withLastUnique(send, uniques), 'latin1')
      const isAllowed = ({ text, closed }: Reply) => {
        const said = numbered(text, uniques).text
        return allowed.some(
          (reply) =>
            reply.closed === closed &&
            (reply.text === said ||
              // What a reset overtakes is lost.
              (closed && reset() && reply.text.startsWith(said)) ||
              (statistics && endOfStatistics.test(said) && compareStatistics(reply, said, index))),
        )
      }
      const received = await heard(isAllowed)
      const closed = received.closed ? ', and closes' : ''
      if (!isAllowed(received)) return `to ${shown(send)}: ${shown(received.text)}${closed}`
      if (received.closed) break
      // Nothing was to come: what is sent next is to arrive in a piece of its own.
      if (received.text === '' && compareStatistics !== sameStatistics) await sleep(silence)
      uniques = numbered(received.text, uniques).uniques
    }
    // What comes behind a reply is taken for the beginning of the next; behind the last nothing comes.
    await sleep(silence)
    const { text } = await heard(() => true)
    return text === '' ? undefined : `behind the last reply: ${shown(text)}`
  } finally {
    socket.destroy()
  }
}

/** `END`, or a frame of STAT without a name. */
const endOfStatistics = /END\r\n$|\x81\x10[\s\S]{22}$/

/** The end of a difference: the server hung up without a word. */
const nothingSaid = ': "", and closes'

const shown = (text: string) => JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text)

/** Gives what has arrived since it was asked last, as soon as that is enough. */
function listen(socket: Socket) {
  let text = ''
  let closed = false
  let wasReset = false
  let changed = () => {}
  socket.on('error', () => {
    wasReset = true
  })
  socket.on('close', () => {
    closed = true
    changed()
  })
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    changed()
  })
  const heard = async (enough: (received: Reply) => boolean): Promise<Reply> => {
    const deadline = AbortSignal.timeout(patience)
    // One listener, however many chunks a reply comes in.
    deadline.addEventListener('abort', () => changed(), { once: true })
    while (!enough({ text, closed }) && !closed && !deadline.aborted) {
      await new Promise<void>((resolve) => {
        changed = resolve
      })
    }
    const received = { text, closed }
    text = ''
    return received
  }
  return { heard, reset: () => wasReset }
}

/** Every statistic with its value; their order, and values that differ from run to run, are free. */
function sameStatistics(reply: Reply, received: string): boolean {
  const recorded = statisticsIn(reply.text)
  const here = statisticsIn(received)
  return recorded.size === here.size && sameValues(recorded, here, recorded.keys())
}

/** A build may leave statistics out or have more: those that both have are the same, and what every version has is there. */
function sharedStatistics(reply: Reply, received: string, required: ReadonlySet<string>): boolean {
  const recorded = statisticsIn(reply.text)
  const here = statisticsIn(received)
  const shared = [...recorded.keys()].filter((name) => here.has(name))
  return [...required].every((name) => here.has(name)) && sameValues(recorded, here, shared)
}

function sameValues(
  recorded: ReadonlyMap<string, string>,
  here: ReadonlyMap<string, string>,
  names: Iterable<string>,
): boolean {
  for (const name of names) {
    const value = recorded.get(name)
    if (!here.has(name) || (value !== volatile && value !== here.get(name))) return false
  }
  return true
}

function namesInAll(exchange: Exchange): ReadonlySet<string> {
  if ('sleep' in exchange || !exchange.statistics) return new Set()
  const [first, ...others] = exchange.allowed.map(({ text }) => new Set(statisticsIn(text).keys()))
  return new Set([...first!].filter((name) => others.every((names) => names.has(name))))
}
