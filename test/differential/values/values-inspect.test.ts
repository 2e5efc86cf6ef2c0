/** `memshim inspect` on items in a real memcached and on bytes from disk. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { inspectCommand } from '../../../src/cli/commands/inspect.js'
import { Client } from '../../../src/strict/index.js'
import { rawEncoding } from '../../../src/values/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'

/** pickle.dumps({'when': (1, 2.5)}, 4), by CPython. */
const PICKLE = Buffer.from('80049518000000000000007d948c047768656e944b014740040000000000008694732e', 'hex')

describe('memshim inspect', () => {
  let memcached: Memcached
  let directory: string
  beforeAll(async () => {
    memcached = await startMemcached()
    directory = mkdtempSync(join(tmpdir(), 'memshim-inspect-'))
  })
  afterAll(async () => {
    await memcached?.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  afterEach(() => vi.restoreAllMocks())

  async function inspect(...args: string[]): Promise<string> {
    let shown = ''
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      shown += text
      return true
    })
    await inspectCommand().exitOverride().parseAsync(args, { from: 'user' })
    return shown
  }

  it('shows flags, pickle and value of an item', async () => {
    const client = new Client([memcached.address], { encoding: rawEncoding })
    await client.set('k', { flags: 1, data: PICKLE })
    client.disconnectAll()
    const shown = await inspect('k', '--server', memcached.address)
    expect(shown).toContain('flags        1 (pickle)')
    expect(shown).toContain(`stored       ${PICKLE.length} bytes`)
    expect(shown).toContain('pickle       protocol 4')
    expect(shown).toContain("   13: \\x8c SHORT_BINUNICODE 'when'")
    expect(shown).toContain("value        {'when': (1, 2.5)}")
  })

  it('inflates, and names unknown flags', async () => {
    const file = join(directory, 'value')
    writeFileSync(file, deflateSync(Buffer.from('12345')))
    const shown = await inspect('--file', file, '--flags', '266')
    expect(shown).toContain('flags        266 (integer, zlib, unknown 0x100)')
    expect(shown).toContain('inflated     5 bytes')
    expect(shown).toContain('value        12345')
  })

  it('says what is wrong with a broken item, and where', async () => {
    const file = join(directory, 'broken')
    writeFileSync(file, PICKLE.subarray(0, 16))
    const shown = await inspect('--file', file)
    expect(shown).toMatch(/cannot be read: pickle: 24 bytes announced, 5 left \(offset 2, FRAME\)/)
  })

  it('shows a dict in itself, and an integer of 16 million bytes by its length', async () => {
    const file = join(directory, 'hostile')
    writeFileSync(file, Buffer.from('80027d710068006800732e', 'hex'))
    expect(await inspect('--file', file)).toContain('value        {{...}: {...}}')
    const length = Buffer.alloc(4)
    length.writeInt32LE(2 ** 24)
    writeFileSync(
      file,
      Buffer.concat([Buffer.from([0x8b]), length, Buffer.alloc(2 ** 24, 0x7f), Buffer.from('.')]),
    )
    expect(await inspect('--file', file)).toContain('value        <int of 134217728 bits>')
  })

  it('refuses what it does not understand', async () => {
    await expect(inspect()).rejects.toThrow(/name a key/)
    await expect(inspect('k', '--as', 'redis')).rejects.toThrow(/--as redis is not known/)
    await expect(inspect('--file', join(directory, 'none'))).rejects.toThrow(/cannot be read: .*ENOENT/)
    await expect(inspect('missing', '--server', memcached.address)).rejects.toThrow(
      /there is no item missing/,
    )
  })
})
