/** A scan of a cache that the real libraries have filled, and of listings that are not what they should be. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { versionAtLeast } from '../../../src/rules/version.js'
import { type ListedItem, MetadumpReader, type ScanReport, scan } from '../../../src/scan/index.js'
import { type Memcached, memcachedVersion, startMemcached } from '../../support/memcached.js'

const root = join(import.meta.dirname, '..', '..', '..')
const venvs = join(root, '.cache', 'venvs')

/** Environment, kind, prefix, and what the scan must say. */
const libraries = [
  ['pylibmc-1.6.3', 'pylibmc', 'new', 'pylibmc'],
  ['python-memcached-1.54', 'memcache', 'oldest', 'python-memcached ≤ 1.58'],
  ['python-memcached-1.58', 'memcache', 'old', 'python-memcached ≤ 1.58'],
  ['python-memcached-1.59', 'memcache', 'late', 'python-memcached ≥ 1.59'],
  ['python-memcached-1.62', 'memcache', 'last', 'python-memcached ≥ 1.59'],
  ['pymemcache-4.0.0', 'pymemcache', 'other', 'pymemcache'],
] as const
const interpreter = (name: string) => join(venvs, name, 'bin', 'python')
const here = libraries.filter(([name]) => existsSync(interpreter(name)))
const count = 150

/** Counts the items that a library cannot read: an exception, or None for another value than None (number 6 of fifteen). */
const countUnreadable = `
import sys
kind, server, prefixes = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
if kind == "pylibmc":
    import pylibmc
    client = pylibmc.Client([server])
elif kind == "memcache":
    import memcache
    client = memcache.Client([server])
else:
    from pymemcache import serde
    from pymemcache.client.base import Client
    client = Client(server, serde=serde.pickle_serde)
unreadable = 0
for prefix in prefixes:
    for number in range(30):
        try:
            unreadable += client.get("%s:%d" % (prefix, number)) is None and number % 15 != 6
        except Exception:
            unreadable += 1
print(unreadable)
`
const readers = [
  ['pylibmc-1.6.3', 'pylibmc', 'pylibmc 1.6.3'],
  ['python-memcached-1.58', 'memcache', 'python-memcached ≤ 1.58'],
  ['python-memcached-1.59', 'memcache', 'python-memcached ≥ 1.59'],
  ['python-memcached-1.62', 'memcache', 'python-memcached ≥ 1.59'],
  ['pymemcache-4.0.0', 'pymemcache', 'pymemcache (pickle_serde)'],
] as const
/** memcached starts its crawler by default from 1.5 on; without it nothing can be listed, which a test below asks. */
const lists = versionAtLeast(await memcachedVersion(), '1.5')

it.skipIf(here.length < 2 || !lists)(
  'the items that a library cannot read are counted as the library itself does',
  async () => {
    const server = await startMemcached()
    try {
      for (const [name, kind, prefix] of here) {
        const program = [
          join(root, 'bench', 'items', 'fill_cache.py'),
          kind,
          server.address,
          prefix,
          '30',
          '0',
        ]
        const done = spawnSync(interpreter(name), program, { encoding: 'utf8', timeout: 120_000 })
        if (done.status !== 0) throw new Error(`${name}: ${done.stderr}`)
      }
      const { unreadable } = await scan({ servers: [server.address], rate: 0, sample: 1000 })
      const prefixes = here.map(([, , prefix]) => prefix).join()
      for (const [name, kind, reader] of readers.filter(([one]) => existsSync(interpreter(one)))) {
        const program = ['-c', countUnreadable, kind, server.address, prefixes]
        const { stdout } = spawnSync(interpreter(name), program, { encoding: 'utf8', timeout: 120_000 })
        const said = unreadable
          .filter((row) => row.reader === reader)
          .reduce((sum, row) => sum + row.items, 0)
        expect([name, stdout.trim()]).toEqual([name, String(said)])
      }
    } finally {
      await server.stop()
    }
  },
  300_000,
)

describe.skipIf(here.length < 2 || !lists)('a cache that the real libraries filled', () => {
  let servers: Memcached[] = []
  let report: ScanReport
  beforeAll(async () => {
    servers = [await startMemcached(), await startMemcached()]
    const addresses = servers.map(({ address }) => address)
    for (const [name, kind, prefix] of here) {
      const program = [
        join(root, 'bench', 'items', 'fill_cache.py'),
        kind,
        addresses.join(','),
        prefix,
        String(count),
      ]
      const done = spawnSync(interpreter(name), program, { encoding: 'utf8', timeout: 120_000 })
      if (done.status !== 0) throw new Error(`${name}: ${done.stderr}`)
    }
    report = await scan({ servers: addresses, rate: 0, sample: 8 })
  }, 300_000)
  afterAll(() => Promise.all(servers.map((server) => server.stop())))

  it('has every item, with values of the sample', () => {
    expect(report.servers.map(({ problem }) => problem)).toEqual([undefined, undefined])
    expect(report.items).toBe(here.length * count)
    expect(report.sampled).toBeGreaterThan(here.length * 8)
  })

  it.each(here)('%s is named as the writer of its items', (_name, _kind, prefix, writer) => {
    const row = report.prefixes.find((one) => one.prefix === `${prefix}:`)
    expect(row?.writers).toEqual([writer])
    expect(row?.items).toBe(count)
  })

  it('names the libraries that cannot read pickles of protocol 5, and text with the flag 16', () => {
    const problems = report.unreadable.map(({ reader, reason }) => `${reader}: ${reason}`)
    expect(problems).toContain('Python 2.7: pickle protocol 5: this Python reads up to 2')
    expect(problems).toContain('Python 3.4 to 3.7: pickle protocol 5: this Python reads up to 4')
    expect(problems).toContain('python-memcached ≤ 1.58: Unknown flags on get: 10')
  })

  it('finds each library where its own placement looks', () => {
    expect(report.placement?.lost).toBe(0)
  })

  it('leaves the last access of items as it was', async () => {
    const version = (await memcachedVersion()).split('.').map(Number)
    if (version[0] === 1 && version[1]! < 6) return
    const again: ListedItem[] = []
    const { connect } = await import('node:net')
    const socket = connect(servers[0]!.port, servers[0]!.host)
    socket.write('lru_crawler metadump all\r\n')
    const reader = new MetadumpReader('again', (item) => again.push(item))
    for await (const chunk of socket) {
      reader.push(chunk as Buffer)
      if (reader.ended) break
    }
    socket.destroy()
    expect(again.length).toBeGreaterThan(0)
    expect(again.filter(({ fetched }) => fetched)).toEqual([])
  })
})

describe('listings of all versions', () => {
  const read = (text: string) => {
    const items: ListedItem[] = []
    const reader = new MetadumpReader('listing', (item) => items.push(item))
    // Every split point.
    for (const byte of Buffer.from(text, 'latin1')) reader.push(Buffer.from([byte]))
    return { items, ended: reader.ended }
  }

  // As memcached 1.5.22, 1.6.24 and 1.6.45 sent them.
  it.each([
    ['key=k%2520x exp=1795900458 la=1795900358 cas=2 fetch=no cls=1 size=69\nEND\r\n', undefined],
    ['key=k%2520x exp=1795900458 la=1795900358 cas=2 fetch=no cls=1 size=69 flags=1\nEND\r\n', 1],
    ['OK\r\nkey=k%2520x exp=1795900458 la=1795900358 cas=2 fetch=no cls=1 size=69 flags=1 \nEND\r\n', 1],
  ])('%j', (text, flags) => {
    expect(read(text)).toEqual({
      items: [{ key: 'k%20x', expires: 1795900458, accessed: 1795900358, fetched: false, size: 69, flags }],
      ended: true,
    })
  })

  it.each([
    ['BUSY currently processing crawler request\r\n', 'BUSY'],
    ['CLIENT_ERROR lru crawler disabled\r\n', 'lru_crawler enable'],
    ['ERROR\r\n', '1.4.31'],
    ['HTTP/1.1 400 Bad Request\r\n', 'not an item'],
    ['key=a exp=x la=1 size=1\n', 'not an item'],
    [`key=${'a'.repeat(5000)}`, 'more than 4096'],
  ])('%j is a typed error that says what to do', (text, words) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ name: 'ListingError', message: expect.stringContaining(words) }),
    )
  })
})

describe('servers that lie', () => {
  let server: Server | undefined
  let folder: string | undefined
  afterEach(async () => {
    server?.close()
    if (folder) await rm(folder, { recursive: true })
    server = folder = undefined
  })
  const listening = async (answers: (line: string) => string) => {
    server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (data: Buffer) => {
        for (const line of data.toString('latin1').split('\r\n').slice(0, -1)) socket.write(answers(line))
      })
    })
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(server!.address() as { port: number }).port}`
  }
  const honest = (line: string) =>
    line === 'version'
      ? 'VERSION 1.6.45\r\n'
      : line === 'stats settings'
        ? 'END\r\n'
        : line === 'mn'
          ? 'MN\r\n'
          : 'EN\r\n'

  it('a value of a terabyte is refused, and the listing stays in the report', async () => {
    const address = await listening((line) => {
      if (line.startsWith('lru_crawler'))
        return 'key=a exp=-1 la=1 cas=1 fetch=no cls=1 size=60 flags=0\nEND\r\n'
      return line.startsWith('mg a ') ? 'VA 1099511627776 f0\r\n' : honest(line)
    })
    const report = await scan({ servers: [address], timeout: 5000 })
    expect(report.items).toBe(1)
    expect(report.servers[0]?.problem).toContain('1099511627776')
  })

  it('a listing with fewer items than the server counts has a note', async () => {
    const address = await listening((line) => {
      if (line.startsWith('lru_crawler'))
        return 'key=a exp=-1 la=1 cas=1 fetch=no cls=1 size=60 flags=0\nEND\r\n'
      return line === 'stats' ? 'STAT pid 1\r\nSTAT curr_items 3\r\nEND\r\n' : honest(line)
    })
    const { items, notes } = await scan({ servers: [address], timeout: 20_000 })
    expect(items).toBe(1)
    expect(notes.join()).toContain('1 items were listed, and the server counts 3')
  })

  it('a listing without an end is a problem of that server after the time', async () => {
    const address = await listening((line) =>
      line.startsWith('lru') ? 'key=a exp=-1 la=1 size=60\n' : honest(line),
    )
    const report = await scan({ servers: [address], timeout: 200 })
    expect(report.servers[0]).toMatchObject({
      items: 1,
      problem: expect.stringContaining('no answer in time'),
    })
  })

  it('a server that is not a memcached, and one that is not there, are errors', async () => {
    const address = await listening(() => 'HTTP/1.1 400 Bad Request\r\n\r\n')
    await expect(scan({ servers: [address], timeout: 500 })).rejects.toMatchObject({ name: 'ScanError' })
    await expect(scan({ servers: ['127.0.0.1:1'], timeout: 500 })).rejects.toMatchObject({
      name: 'ScanError',
    })
    await expect(scan({ servers: [] })).rejects.toThrow('name servers')
  })

  it('a saved listing that is cut is read up to there', async () => {
    folder = await mkdtemp(join(tmpdir(), 'memshim-scan-'))
    const path = join(folder, 'dump')
    await writeFile(path, 'key=a exp=-1 la=1 size=60 flags=16\nkey=b exp')
    const report = await scan({ files: [path] })
    expect(report.servers[0]).toMatchObject({ items: 1, problem: expect.stringContaining('incomplete') })
    expect(report.prefixes[0]).toMatchObject({ prefix: 'a', flags: [[16, 1]] })
  })
})
