/**
 * Conversations recorded from memcached 1.6.18 (fixtures/conversations), held with the embedded server and, live, with a
 * real memcached. Statistics that differ from run to run are recorded without their value.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startServer } from '../../src/server/index.js'
import { embeddedOptions } from '../support/embedded-options.js'
import { startMemcached } from '../support/memcached.js'

type Wire = string | readonly (string | { readonly $repeat: readonly [string, number] })[]
type Exchange =
  | { readonly send: Wire; readonly receive: Wire; readonly closed?: true }
  | { readonly sleep: number }
interface Topic {
  readonly memcached: string
  readonly args: readonly string[]
  readonly conversations: readonly { readonly about: string; readonly exchanges: readonly Exchange[] }[]
}

const folder = new URL('../../fixtures/conversations/', import.meta.url)
const topics = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({ name, topic: JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Topic }))
/** Milliseconds in which a reply that was not recorded would have shown. */
const silence = 15

test('the recordings cover at least 150 exchanges', () => {
  const exchanges = topics.flatMap(({ topic }) => topic.conversations.flatMap((c) => c.exchanges))
  expect(exchanges.length).toBeGreaterThanOrEqual(150)
})

for (const { name, topic } of topics) {
  for (const { about, exchanges } of topic.conversations) {
    test(`embedded server answers as memcached ${topic.memcached}: ${name}, ${about}`, async () => {
      // A recorded sleep is all the time that passes on the server's clock, however slow this machine is.
      let now = Date.now() / 1000
      await using server = await startServer({ clock: () => now, ...embeddedOptions(topic.args) })
      await converse(server.port, exchanges, async (seconds) => {
        now += seconds
      })
    })
  }

  // Each has a server of its own, whose clock has just begun a second: what lives for one second is there before the sleep.
  test(`a real memcached still answers as recorded: ${name}`, { timeout: 120_000 }, async () => {
    for (const { exchanges } of topic.conversations) {
      const memcached = await startMemcached({ args: topic.args })
      try {
        await converse(memcached.port, exchanges, (seconds) => sleep(seconds * 1000))
      } finally {
        await memcached.stop()
      }
    }
  })
}

async function converse(
  port: number,
  exchanges: readonly Exchange[],
  pass: (seconds: number) => Promise<void>,
): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  const heard = listen(socket)
  let closed = false
  try {
    for (const exchange of exchanges) {
      if ('sleep' in exchange) {
        await pass(exchange.sleep)
        continue
      }
      const wanted = bytes(exchange.receive)
      closed = exchange.closed === true
      socket.write(bytes(exchange.send), 'latin1')
      expect(await heard(wanted, closed)).toEqual({ text: wanted, closed })
    }
    // What comes behind a reply is taken for the beginning of the next; behind the last nothing comes.
    expect(await heard('', closed)).toEqual({ text: '', closed })
  } finally {
    socket.destroy()
  }
}

function listen(socket: Socket) {
  let text = ''
  let closed = false
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
  })
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  return async (wanted: string, untilClosed: boolean) => {
    // Nothing is to come, which only time shows.
    if (wanted === '') await sleep(silence)
    const mask = maskFor(wanted)
    const deadline = Date.now() + 10_000
    while (!closed && (untilClosed || mask(text).length < wanted.length) && Date.now() < deadline)
      await sleep(1)
    const received = { text: mask(text), closed }
    text = ''
    return received
  }
}

/** Leaves out of a reply the values that the recording left out. */
function maskFor(wanted: string): (received: string) => string {
  if (wanted.startsWith('\x81')) return (received) => maskedFrames(received, wanted)
  const open = new Set([...wanted.matchAll(/^STAT (\S+) \xff\r$/gm)].map(([, stat]) => stat))
  if (open.size === 0) return (received) => received
  return (received) =>
    received.replace(/^STAT (\S+) .*?\r$/gm, (line, stat: string) =>
      open.has(stat) ? `STAT ${stat} \xff\r` : line,
    )
}

/** The same of the binary protocol's statistics, a frame each. */
function maskedFrames(received: string, wanted: string): string {
  const open = new Set(frames(wanted).flatMap((frame) => (frame.endsWith('\xff') ? [statName(frame)] : [])))
  return frames(received)
    .map((frame) => {
      const name = statName(frame)
      if (name === undefined || !open.has(name)) return frame
      const body = Buffer.alloc(4)
      body.writeUInt32BE(name.length + 1)
      return `${frame.slice(0, 8)}${body.toString('latin1')}${frame.slice(12, 24)}${name}\xff`
    })
    .join('')
}

function frames(text: string): string[] {
  if (text.length < 24) return text === '' ? [] : [text]
  const end = 24 + Buffer.from(text.slice(8, 12), 'latin1').readUInt32BE(0)
  return [text.slice(0, end), ...frames(text.slice(end))]
}

function statName(frame: string): string | undefined {
  const length = frame.charCodeAt(2) * 256 + frame.charCodeAt(3)
  return frame.charCodeAt(1) === 0x10 && length > 0 ? frame.slice(24, 24 + length) : undefined
}

function bytes(wire: Wire): string {
  const parts = typeof wire === 'string' ? [wire] : wire
  return parts
    .map((part) => (typeof part === 'string' ? part : part.$repeat[0].repeat(part.$repeat[1])))
    .join('')
}
