// The rows in bare protocol: commands with the lengths of their replies, for either way of reading.

import { store } from '../../items/python-items.mjs'
import { material } from '../material.mjs'
import { exchange, pump } from './raw-socket.mjs'

/** Classic `get`: memcached answers each with a system call of its own. */
export const classic = {
  read: (keys) => `get ${keys.join(' ')}\r\n`,
  reply: (keys, values) =>
    Buffer.concat([
      ...keys.flatMap((key, i) => [
        Buffer.from(`VALUE ${key} 0 ${values[i].length}\r\n`),
        values[i],
        Buffer.from('\r\n'),
      ]),
      Buffer.from('END\r\n'),
    ]),
}

/** Meta `mg`: memcached joins the replies of one read. */
export const meta = {
  read: (keys) => keys.map((key) => `mg ${key} v\r\n`).join(''),
  reply: (_, values) =>
    Buffer.concat(
      values.flatMap((value) => [Buffer.from(`VA ${value.length}\r\n`), value, Buffer.from('\r\n')]),
    ),
}

/**
 * With several servers key i is on server i modulo their number, and each has its share of the callers: no client can place more evenly.
 * @returns the load of one row, after one exchange has shown that replies are exactly as long and as right as expected
 */
export async function rawPump(dialect, { servers, workload, keys }) {
  const every = await Promise.all(
    servers.map((server, place) => {
      const own = keys.map((key, i) => ({ key, i })).filter(({ i }) => i % servers.length === place)
      const callers = Math.floor((workload.callers + place) / servers.length)
      return onePump(dialect, server, { ...workload, callers }, own)
    }),
  )
  return {
    done: () => every.reduce((sum, load) => sum + load.done(), 0),
    takeLatencies: () => [],
    stop: () => Promise.all(every.map((load) => load.stop())),
  }
}

async function onePump(dialect, server, workload, own) {
  const keys = own.map(({ key }) => key)
  const values = own.map(({ i }) => Buffer.from(material[workload.values](i, workload.size)))
  for (const [i, key] of keys.entries()) await queued(server, key, values[i])
  const batch = workload.batch ?? 1
  const get = (from) => {
    const asked = keys.slice(from, from + batch)
    const reply = dialect.reply(asked, values.slice(from, from + batch))
    return { bytes: Buffer.from(dialect.read(asked)), reply: reply.length, expected: reply }
  }
  const set = (i) => ({
    bytes: Buffer.concat([
      Buffer.from(`set ${keys[i]} 0 0 ${values[i].length}\r\n`),
      values[i],
      Buffer.from('\r\n'),
    ]),
    reply: 'STORED\r\n'.length,
  })
  const first = get(0)
  const answer = await exchange(server, first.bytes, first.reply)
  if (!answer.equals(first.expected)) throw new Error(`the server answered ${answer.subarray(0, 80)}`)
  const commands = []
  for (let i = 0; i + batch <= keys.length; i += batch) {
    const writes = workload.kind === 'set' || (workload.kind === 'mixed' && i % 10 === 0)
    commands.push(writes ? set(i) : get(i))
  }
  return pump(server, commands, workload.callers)
}

const queued = (server, key, data) => store(server, [key], { flags: 0, data })
