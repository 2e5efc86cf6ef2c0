/** Captures by real tools of conversations whose every byte is known: link types, losses, cuts, repetitions, another order. */
import { createReadStream, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readTrace } from '../../../src/audit/index.js'
import { type RecordSummary, recordPackets } from '../../../src/record/index.js'

const folder = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'captures', 'links')
const { port, captures } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as {
  readonly port: number
  readonly captures: readonly string[]
}

let scratch: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'memshim-links-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

/** A command and its reply. */
type Said = readonly [request: string, reply: string | null | undefined]

function truthOf(name: string): readonly Said[] {
  return JSON.parse(gunzipSync(readFileSync(join(folder, `${name}.truth.json.gz`))).toString('utf8'))
}

async function recorded(
  name: string,
): Promise<{ readonly said: readonly Said[]; readonly summary: RecordSummary }> {
  const out = join(scratch, `${name}.jsonl`)
  const path = join(folder, `${name}.cap.gz`)
  const summary = await recordPackets([{ name, stream: createReadStream(path) }], { out, ports: [port] })
  return { said: await saidIn(out), summary }
}

async function saidIn(trace: string): Promise<Said[]> {
  const said: Said[] = []
  for await (const event of (await readTrace(trace)).events())
    if (event.kind === 'wire') said.push([event.wire, event.reply])
  return said
}

/** Each of `some` in its order in `all`; a reply may be unknown. */
function firstStranger(some: readonly Said[], all: readonly Said[]): Said | undefined {
  let at = 0
  return some.find(([request, reply]) => {
    while (at < all.length) {
      const [sent, answered] = all[at++]!
      if (sent === request && (reply === undefined || reply === null || reply === answered)) return false
    }
    return true
  })
}

/** What the program said before the capture began, and what its tool did not take whole. */
const partial = ['tcpdump-cut', 'tcpdump-losses', 'tcpdump-late']
const complete = captures.filter((name) => !partial.includes(name))

describe('record', { timeout: 60_000 }, () => {
  it.each(complete)('%s: every command and reply, in their order', async (name) => {
    const { said, summary } = await recorded(name)
    expect(said).toEqual(truthOf(name))
    expect(summary.losses).toEqual({})
  })

  it.each([
    ['two VLAN tags (QinQ)', '88a80005810000070800', 0],
    ['two MPLS labels', '884700010000000111ff', 0],
    ['a VLAN tag and an MPLS label', '810000078847000111ff', 0],
    ['PPPoE', '886411000003', 2],
  ])('%s before the IP header: every command and reply, in their order', async (what, header, lengths) => {
    const whole = gunzipSync(readFileSync(join(folder, 'tcpdump-ethernet.cap.gz')))
    const parts = [whole.subarray(0, 24)]
    for (let at = 24; at < whole.length; ) {
      const captured = whole.readUInt32LE(at + 8)
      const frame = whole.subarray(at + 16, at + 16 + captured)
      const record = Buffer.from(whole.subarray(at, at + 16))
      // PPPoE: the length of its payload, and PPP's protocol for IPv4 (RFC 2516).
      const more = Buffer.alloc(lengths * 2, Buffer.of(0, 0, 0, 0x21))
      if (lengths > 0) more.writeUInt16BE((frame.length - 14 + 2) & 0xffff)
      const between = Buffer.concat([Buffer.from(header, 'hex'), more])
      for (const field of [8, 12])
        record.writeUInt32LE(record.readUInt32LE(field) + between.length - 2, field)
      parts.push(record, frame.subarray(0, 12), between, frame.subarray(14))
      at += 16 + captured
    }
    const out = join(scratch, `${what}.jsonl`)
    const inputs = [{ name: what, stream: Readable.from([Buffer.concat(parts)]) }]
    const summary = await recordPackets(inputs, { out, ports: [port] })
    expect(await saidIn(out)).toEqual(truthOf('tcpdump-ethernet'))
    expect(summary.losses).toEqual({})
  })

  it('captures in another order than their times are an error that names them', async () => {
    const whole = gunzipSync(readFileSync(join(folder, 'tcpdump-ethernet.cap.gz')))
    const earlier = Buffer.from(whole)
    for (let at = 24; at < earlier.length; at += 16 + earlier.readUInt32LE(at + 8))
      earlier.writeUInt32LE(earlier.readUInt32LE(at) - 3600, at)
    const inputs = (...order: readonly string[]) =>
      order.map((name) => ({ name, stream: Readable.from([name === 'later.pcap' ? whole : earlier]) }))
    const record = (...order: readonly string[]) =>
      recordPackets(inputs(...order), { out: join(scratch, `${order[0]}.jsonl`), ports: [port] })
    await expect(record('later.pcap', 'earlier.pcap')).rejects.toThrow(
      /earlier\.pcap begins 36\d\d\.\d s before the end .*mergecap -w all\.pcapng later\.pcap earlier\.pcap/,
    )
    const { written } = await record('earlier.pcap', 'later.pcap')
    expect(written).toBe(2 * truthOf('tcpdump-ethernet').length)
  })

  it('a capture that began late has the later commands, from the first whole command on', async () => {
    const truth = truthOf('tcpdump-late')
    const { said } = await recorded('tcpdump-late')
    expect(said).toEqual(truth.slice(truth.length / 2))
  })

  it.each(['tcpdump-cut', 'tcpdump-losses'])(
    '%s: what is recorded was said, and what is missing is counted',
    async (name) => {
      const { said, summary } = await recorded(name)
      const truth = truthOf(name)
      expect(firstStranger(said, truth)).toBeUndefined()
      expect(said.length).toBeGreaterThan(truth.length / 2)
      expect(said.length).toBeLessThan(truth.length)
      expect(Object.keys(summary.losses).length).toBeGreaterThan(0)
    },
  )
})
