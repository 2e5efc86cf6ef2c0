/** Captures by real tools of conversations whose every byte is known: link types, losses, cuts, repetitions, another order. */
import { createReadStream, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
  const said: Said[] = []
  for await (const event of (await readTrace(out)).events())
    if (event.kind === 'wire') said.push([event.wire, event.reply])
  return { said, summary }
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
