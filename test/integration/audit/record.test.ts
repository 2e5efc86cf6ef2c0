/** Recordings of a real memcached through the proxy and from its log, and captures that are damaged. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { audit, plan, readTrace, type WireEvent } from '../../../src/audit/index.js'
import { PacketFile } from '../../../src/capture/index.js'
import { Client as PymemcacheClient, pickleSerde } from '../../../src/pymemcache/index.js'
import {
  type RecordSummary,
  recordPackets,
  recordProxy,
  recordWatch,
  renderRecordSummary,
} from '../../../src/record/index.js'
import { Client } from '../../../src/strict/index.js'
import type { ServerAddress } from '../../../src/transport/address.js'
import { memcachedVersion, startMemcached } from '../../support/memcached.js'

let folder: string
let out: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'memshim-record-'))
  out = join(folder, 'app.jsonl')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function wires(path: string): Promise<WireEvent[]> {
  const found: WireEvent[] = []
  for await (const event of (await readTrace(path)).events()) if (event.kind === 'wire') found.push(event)
  return found
}

const tcp = (port: number): ServerAddress => ({ transport: 'tcp', host: '127.0.0.1', port })
const portOf = (address: ServerAddress | undefined) => (address as { readonly port: number }).port

describe('a recording proxy', () => {
  it('without a command names the option to look at', async () => {
    const proxy = await recordProxy({ out, routes: [{ listen: tcp(0), upstream: tcp(1) }] })
    expect(renderRecordSummary(await proxy.close())).toContain(
      'No command of a memcached client was seen: give the applications the addresses of --listen.',
    )
  })

  it('records pymemcache where it is named, for plans and audits', async () => {
    const server = await startMemcached()
    const library = { name: 'pymemcache', version: '4.0.0' } as const
    const proxy = await recordProxy({
      out,
      library,
      routes: [{ listen: tcp(0), upstream: tcp(server.port) }],
    })
    const client = new PymemcacheClient(`127.0.0.1:${portOf(proxy.addresses[0])}`, { serde: pickleSerde() })
    await client.set('a', 'text', { expire: 60, noreply: false })
    await client.set('unanswered', 1)
    expect(await client.get('a')).toBe('text')
    expect(await client.getMany(['a', 'none'])).toEqual(new Map([['a', 'text']]))
    await client.close()
    const summary = await proxy.close()
    await server.stop()
    expect(renderRecordSummary(summary)).toContain('Library: pymemcache 4.0.0')
    const trace = await readTrace(out)
    expect(trace.header).toMatchObject({ library: 'pymemcache', version: '4.0.0' })
    const planned = await plan(trace, { from: () => 0, to: () => 0, servers: 1 })
    expect(planned.trace.accesses).toBe(5)
    expect(planned.hitRatio).toBeCloseTo(2 / 3)
    const called = (await audit(trace)).methods.map(({ method, operations }) => [method, operations])
    expect(Object.fromEntries(called)).toMatchObject({ set: 2, get: 1, get_multi: 1 })
  })

  it.each([false, true])('passes and records every command; binary: %s', async (binary) => {
    const server = await startMemcached()
    const proxy = await recordProxy({ out, routes: [{ listen: tcp(0), upstream: tcp(server.port) }] })
    const client = new Client([`127.0.0.1:${portOf(proxy.addresses[0])}`], { binary })
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256))
    expect(await client.set('a', bytes)).toBe(true)
    expect(await client.get('a')).toEqual(bytes)
    expect((await client.getMulti(['a', 'none'])).size).toBe(1)
    client.disconnectAll()
    const summary = await proxy.close()
    await server.stop()
    expect(summary.losses).toEqual({})
    expect((await stat(out)).mode & 0o777).toBe(0o600)
    const seen = await wires(out)
    expect(seen).toHaveLength(3)
    expect(seen[0]!.wire).toContain(bytes.toString('latin1'))
    expect(seen[1]!.reply).toContain(bytes.toString('latin1'))
    expect(summary.library).toMatchObject(binary ? { name: 'pylibmc' } : {})
  })

  it('changes no byte of messages that it does not understand', async () => {
    const echo = createServer((socket) => socket.pipe(socket))
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
    const upstream = tcp((echo.address() as { port: number }).port)
    const proxy = await recordProxy({ out, routes: [{ listen: tcp(0), upstream }] })
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251))
    const socket = connect(portOf(proxy.addresses[0]), '127.0.0.1')
    const back: Buffer[] = []
    socket.on('data', (chunk: Buffer) => back.push(chunk))
    socket.end(sent)
    await once(socket, 'close')
    expect(Buffer.concat(back).equals(sent)).toBe(true)
    await proxy.close()
    echo.close()
  })

  it('shows a client at once that the server is gone, and serves it again when it is back', async () => {
    const server = await startMemcached()
    const proxy = await recordProxy({ out, routes: [{ listen: tcp(0), upstream: tcp(server.port) }] })
    const port = portOf(proxy.addresses[0])
    const ask = async () => {
      const socket = connect(port, '127.0.0.1')
      const reply = new Promise<string | undefined>((resolve) => {
        socket.on('error', () => undefined)
        socket.on('data', (chunk: Buffer) => resolve(chunk.toString()))
        socket.on('close', () => resolve(undefined))
      })
      socket.write('version\r\n')
      await reply
      socket.destroy()
      return reply
    }
    expect(await ask()).toContain('VERSION')
    await server.down()
    expect(await ask()).toBeUndefined()
    await server.up()
    expect(await ask()).toContain('VERSION')
    await proxy.close()
    await server.stop()
  })

  it('an address that is taken, and a file that is there, are typed errors', async () => {
    const proxy = await recordProxy({ out, routes: [{ listen: tcp(0), upstream: tcp(1) }] })
    const taken = {
      out: join(folder, 'b.jsonl'),
      routes: [{ listen: proxy.addresses[0]!, upstream: tcp(1) }],
    }
    await expect(recordProxy(taken)).rejects.toMatchObject({ name: 'RecordError' })
    await proxy.close()
    await expect(recordProxy({ out, routes: [{ listen: tcp(0), upstream: tcp(1) }] })).rejects.toThrow(
      'choose another name',
    )
    await expect(recordWatch({ out, watched: [tcp(1)] })).rejects.toThrow('choose another name')
    // An input that never ends: the error comes before it.
    const stream = new PassThrough()
    await expect(recordPackets([{ name: 'pipe', stream }], { out })).rejects.toThrow('choose another name')
    const nowhere = join(folder, 'absent', 'a.jsonl')
    await expect(recordPackets([{ name: 'pipe', stream }], { out: nowhere })).rejects.toThrow(
      'there is no folder',
    )
  })
})

it("memcached's own log gives keys and results", async () => {
  const [major, minor, patch] = (await memcachedVersion()).split('.').map(Number) as [number, number, number]
  if (major === 1 && (minor < 5 || (minor === 5 && patch < 22))) return
  const server = await startMemcached()
  const stop = new AbortController()
  const recording = recordWatch({ out, watched: [tcp(server.port)], signal: stop.signal })
  const client = new Client([server.address])
  let written: WireEvent[] = []
  for (let i = 0; i < 200 && written.length < 3; i++) {
    await client.set('a', 'value')
    await client.get('a')
    await client.get('missing')
    await new Promise((resolve) => setTimeout(resolve, 50))
    written = await wires(out).catch(() => [])
    if (i === 40) stop.abort()
    if (stop.signal.aborted) break
  }
  stop.abort()
  const summary = await recording
  client.disconnectAll()
  await server.stop()
  expect(summary.blind.join()).toContain('values')
  const seen = await wires(out)
  expect(seen.map(({ wire }) => wire.split(' ').slice(0, 2).join(' ').trim())).toEqual(
    expect.arrayContaining(['set a', 'get a', 'get missing']),
  )
  expect(seen.find(({ wire }) => wire === 'get missing\r\n')?.reply).toBe('END\r\n')
})

describe('captures that are not whole', () => {
  const captures = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'captures')
  const { captures: list } = JSON.parse(readFileSync(join(captures, 'index.json'), 'utf8')) as {
    readonly captures: readonly { readonly name: string; readonly servers: readonly string[] }[]
  }
  const { name, servers } = list.find((one) => one.name.startsWith('python-memcached-1.59'))!
  const whole = gunzipSync(readFileSync(join(captures, `${name}.pcap.gz`)))
  const record = (bytes: Buffer, path: string, more: object = {}): Promise<RecordSummary> =>
    recordPackets([{ name: 'capture', stream: Readable.from([bytes]) }], { out: path, servers, ...more })

  /** A reproducible choice. */
  function choices(seed: number): () => number {
    let state = seed
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    }
  }

  /** The records of the file, each with its header. */
  function records(): Buffer[] {
    const found: Buffer[] = []
    for (let at = 24; at < whole.length; ) {
      const length = 16 + whole.readUInt32LE(at + 8)
      found.push(whole.subarray(at, at + length))
      at += length
    }
    return found
  }

  it('commands of a capture with losses, repetitions and another order are commands of the whole one', async () => {
    await record(whole, out)
    const known = new Set((await wires(out)).map(({ wire, reply }) => JSON.stringify([wire, reply])))
    const requests = new Set((await wires(out)).map(({ wire }) => wire))
    const packets = records()
    for (const seed of [1, 2, 3, 4, 5]) {
      const next = choices(seed)
      const kept = packets.flatMap((packet) => {
        const dice = next()
        return dice < 0.02 ? [] : dice < 0.07 ? [packet, packet] : [packet]
      })
      for (let i = 0; i + 1 < kept.length; i++)
        if (next() < 0.05) [kept[i], kept[i + 1]] = [kept[i + 1]!, kept[i]!]
      // A start in the middle.
      kept.splice(0, Math.floor(next() * 50))
      const path = join(folder, `seed-${seed}.jsonl`)
      await record(Buffer.concat([whole.subarray(0, 24), ...kept]), path)
      const seen = await wires(path)
      expect(seen.length).toBeGreaterThan(known.size / 3)
      for (const { wire, reply } of seen) {
        expect(requests.has(wire)).toBe(true)
        if (reply !== undefined && reply !== null)
          expect([seed, wire, reply, known.has(JSON.stringify([wire, reply]))]).toEqual([
            seed,
            wire,
            reply,
            true,
          ])
      }
    }
  })

  it('repetitions and another order alone lose nothing', async () => {
    await record(whole, out)
    const packets = records().flatMap((packet, i) => (i % 3 === 0 ? [packet, packet] : [packet]))
    const path = join(folder, 'again.jsonl')
    const summary = await record(Buffer.concat([whole.subarray(0, 24), ...packets]), path)
    expect(summary.losses).toEqual({})
    expect((await wires(path)).map(({ wire }) => wire)).toEqual((await wires(out)).map(({ wire }) => wire))
  })

  it('every cut and every damaged byte is a recording or a CaptureError', async () => {
    const next = choices(7)
    for (let i = 0; i < 60; i++) {
      const bytes = Buffer.from(whole.subarray(0, 24 + Math.floor(next() * 60_000)))
      for (let k = 0; k < 5; k++) bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256)
      const path = join(folder, `damaged-${i}.jsonl`)
      const done = await record(bytes, path).catch((error: unknown) => error)
      if (done instanceof Error) expect(done.name).toBe('CaptureError')
    }
  })

  it.each([
    ['nothing', Buffer.alloc(0), 'empty'],
    ['text', Buffer.from('GET / HTTP/1.1\r\n'), 'neither those of pcap nor of pcapng'],
    [
      'a packet of 4 GiB',
      Buffer.concat([whole.subarray(0, 24), Buffer.alloc(16, 0xff)]),
      'more than 1048576',
    ],
    ['a pcapng block of three bytes', Buffer.from('0a0d0d0a030000004d3c2b1a', 'hex'), 'which no block has'],
    ['a pcapng without a byte order', Buffer.from('0a0d0d0a1c00000000000000', 'hex'), 'byte order'],
  ])('%s is a CaptureError', (_what, bytes, words) => {
    const read = () => {
      const file = new PacketFile('capture', () => undefined)
      file.push(bytes)
      file.end()
    }
    expect(read).toThrow(
      expect.objectContaining({ name: 'CaptureError', message: expect.stringContaining(words) }),
    )
  })

  it('redacted values and hashed keys: lengths stay, nothing readable stays, the audit reads it', async () => {
    await record(whole, out, { redact: true, hashKeys: 'a secret of the team' })
    const text = await readFile(out, 'utf8')
    expect(text).not.toContain('memcache:k')
    expect(text).not.toContain('bytes\\r\\nEND')
    const plainPath = join(folder, 'plain.jsonl')
    await record(whole, plainPath)
    const lengths = async (path: string) =>
      (await wires(path)).map(({ wire }) => /^set \S+ (\d+ \d+ \d+)/.exec(wire)?.[1])
    expect(await lengths(out)).toEqual(await lengths(plainPath))
    const [redacted, plain] = [await audit(await readTrace(out)), await audit(await readTrace(plainPath))]
    expect(redacted.totals.operations).toBe(plain.totals.operations)
    expect(redacted.unexplained).toEqual([])
  })

  it('parts of a limited size, of which the newest stay', async () => {
    const summary = await record(whole, join(folder, 'part.jsonl'), { maxBytes: 65_536, files: 2 })
    expect(summary.files).toHaveLength(2)
    expect(summary.deletedFiles).toBeGreaterThan(0)
    for (const path of summary.files) expect((await wires(path)).length).toBeGreaterThan(0)
  })

  it('a sample has each of its keys with all commands', async () => {
    await record(whole, out)
    const path = join(folder, 'sample.jsonl')
    await record(whole, path, { sample: 0.5 })
    const keys = async (file: string) => {
      const counts = new Map<string, number>()
      for (const { wire } of await wires(file))
        for (const key of /^get(s?) (.*)\r\n/.exec(wire)?.[2]?.split(' ') ?? [])
          counts.set(key, (counts.get(key) ?? 0) + 1)
      return counts
    }
    const [all, some] = [await keys(out), await keys(path)]
    expect(some.size).toBeGreaterThan(all.size / 4)
    expect(some.size).toBeLessThan((3 * all.size) / 4)
    for (const [key, count] of some) expect([key, count]).toEqual([key, all.get(key)])
  })
})
