/**
 * A mixed fleet through all phases: real python-memcached (old placement only), real pylibmc (new placement only) and Node
 * processes on the same real servers, by the rules of docs/migrating.md.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MigratingClient, oldSide } from '../../src/migration/index.js'
import { Client as StrictClient } from '../../src/strict/index.js'
import type { TypedJson } from '../../src/values/index.js'
import { type Memcached, startMemcached } from '../support/memcached.js'
import { installed, PythonLibrary, skipped } from '../support/python-library.js'

const pythonMemcached = installed.find(
  ({ library, version }) => library === 'python-memcached' && version === '1.59',
)!
const pylibmc = installed.find(({ library }) => library === 'pylibmc')!
const present = pythonMemcached.python !== undefined && pylibmc.python !== undefined

const keys = Array.from({ length: 30 }, (_, i) => `user:${i}`)

describe.skipIf(!present)(`mixed fleet${present ? '' : ` (skipped: ${skipped})`}`, () => {
  let servers: Memcached[]
  let oldFleet: PythonLibrary
  let newFleet: PythonLibrary
  let node: MigratingClient
  let colleague: MigratingClient

  beforeAll(async () => {
    servers = await Promise.all([1, 2, 3].map(() => startMemcached()))
    const addresses = servers.map(({ address }) => address)
    oldFleet = new PythonLibrary(pythonMemcached)
    await oldFleet.start(addresses, { cache_cas: true })
    newFleet = new PythonLibrary(pylibmc)
    await newFleet.start(addresses)
    const make = () =>
      new MigratingClient({
        old: oldSide(addresses, { emulate: 'python-memcached-1.59' }),
        new: new StrictClient(addresses, { behaviors: { cas: true } }),
      })
    node = make()
    colleague = make()
  })
  afterAll(async () => {
    node?.disconnectAll()
    colleague?.disconnectAll()
    await oldFleet?.stop()
    await newFleet?.stop()
    await Promise.all((servers ?? []).map((server) => server.stop()))
  })

  const told = async (fleet: PythonLibrary, call: string, ...args: TypedJson[]): Promise<unknown> => {
    const answer = await fleet.call(call, args)
    return 'result' in answer ? answer.result : answer.raises.class
  }
  const everyKey = <T>(run: (key: string) => Promise<T>) => Promise.all(keys.map(run))
  const all = (value: unknown) => keys.map(() => value)
  async function inTurn(run: (key: string) => Promise<unknown>): Promise<unknown[]> {
    const results: unknown[] = []
    for (const key of keys) results.push(await run(key))
    return results
  }

  it('old: python-memcached and Node both write, and each reads the items of the other', async () => {
    await inTurn((key) => told(oldFleet, 'set', key, 'by python'))
    expect(await everyKey((key) => node.get(key))).toEqual(all('by python'))
    await everyKey((key) => node.set(key, 'by node'))
    expect(await inTurn((key) => told(oldFleet, 'get', key))).toEqual(all('by node'))
    // pylibmc looks elsewhere: the reason for it all. Some keys have the same server in both placements.
    expect(await inTurn((key) => told(newFleet, 'get', key))).toContain(null)
  })

  it('dual-write: both fleets read the items that Node writes, and Node still reads those of old-only writers', async () => {
    await node.setPhase('dual-write')
    await colleague.setPhase('dual-write')
    await everyKey((key) => node.set(key, 'twice'))
    expect(await inTurn((key) => told(oldFleet, 'get', key))).toEqual(all('twice'))
    expect(await inTurn((key) => told(newFleet, 'get', key))).toEqual(all('twice'))
    await inTurn((key) => told(oldFleet, 'set', key, 'old writer'))
    expect(await everyKey((key) => node.get(key))).toEqual(all('old writer'))
    await everyKey((key) => node.delete(key))
    expect(await inTurn((key) => told(newFleet, 'get', key))).toEqual(all(null))
    expect(await inTurn((key) => told(oldFleet, 'get', key))).toEqual(all(null))
  })

  it('new-first: items that only the old fleet has are found, and items of the new placement win', async () => {
    await inTurn((key) => told(oldFleet, 'set', key, 'left behind'))
    // Processes change phase one after another.
    await node.setPhase('new-first')
    expect(await everyKey((key) => colleague.get(key))).toEqual(all('left behind'))
    expect(await everyKey((key) => node.get(key))).toEqual(all('left behind'))
    await colleague.setPhase('new-first')
    await inTurn((key) => told(newFleet, 'set', key, 'by pylibmc'))
    expect(await everyKey((key) => colleague.get(key))).toEqual(all('by pylibmc'))
    await everyKey((key) => node.set(key, 'by node again'))
    expect(await inTurn((key) => told(newFleet, 'get', key))).toEqual(all('by node again'))
    // Readers of the old fleet that are not yet replaced are served as well.
    expect(await inTurn((key) => told(oldFleet, 'get', key))).toEqual(all('by node again'))
  })

  it('counters: no increment is lost from old to new', async () => {
    await node.setPhase('dual-write')
    await colleague.setPhase('dual-write')
    await inTurn((key) => told(oldFleet, 'set', key, 10))
    await everyKey((key) => node.incr(key))
    await inTurn((key) => told(oldFleet, 'incr', key))
    await node.setPhase('new-first')
    await colleague.setPhase('new-first')
    await Promise.all(keys.flatMap((key) => [node.incr(key), colleague.incr(key), node.incr(key)]))
    await inTurn((key) => told(newFleet, 'incr', key))
    expect(await everyKey((key) => node.get(key))).toEqual(all(16))
  })

  it('new: pylibmc and Node alone, and the counts say that the old placement is no longer hit', async () => {
    await node.setPhase('new')
    await colleague.setPhase('new')
    const before = colleague.counts.hitsOld
    await inTurn((key) => told(newFleet, 'set', key, { nested: [1, 'x'] }))
    expect(await everyKey((key) => colleague.get(key))).toEqual(all({ nested: [1, 'x'] }))
    await everyKey((key) => colleague.delete(key))
    expect(await inTurn((key) => told(newFleet, 'get', key))).toEqual(all(null))
    expect(colleague.counts.hitsOld).toBe(before)
  })
})
