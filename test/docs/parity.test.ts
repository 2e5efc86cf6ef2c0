/**
 * docs/evidence/pylibmc-parity.md: every method, behavior and exception of the real pylibmc (fixtures/vectors/pylibmc-surface.json) with its
 * counterpart, which must exist. `npx vitest run test/docs -u` writes the page anew.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as strict from '../../src/strict/index.js'
import {
  type BehaviorName,
  behaviorNames,
  Client,
  defaultBehaviors,
  errorClasses,
} from '../../src/strict/index.js'

const root = join(import.meta.dirname, '..', '..')
const surface = JSON.parse(
  readFileSync(join(root, 'fixtures', 'vectors', 'pylibmc-surface.json'), 'utf8'),
) as {
  version: string
  methods: string[]
  behaviors: string[]
  exceptions: Record<string, number | null>
  pools: string[]
}

/** Counterparts whose names are not simply camelCase. */
const renamed: Readonly<Record<string, string>> = {
  __contains__: 'has',
  __delitem__: 'deleteItem',
  __getitem__: 'getItem',
  __setitem__: 'setItem',
  behaviours: 'behaviors',
}
const python: Readonly<Record<string, string>> = {
  __contains__: 'key in c',
  __delitem__: 'del c[key]',
  __getitem__: 'c[key]',
  __setitem__: 'c[key] = value',
}
const notes: Readonly<Record<string, string>> = {
  behaviours: 'a spelling that pylibmc refuses on purpose',
  get_stats: 'all statistics the server sends, not the 22 that libmemcached knows',
  get: 'third argument: options of this call',
  hash: 'index of the server',
  clone: 'hooks of a subclass included',
}
const effects: Readonly<Record<BehaviorName, string>> = {
  no_block: 'stored and read back; sockets never block here',
  tcp_nodelay:
    'stored and read back; always on, since the requests of a turn of the event loop leave in one write',
  tcp_keepalive: 'SO_KEEPALIVE',
  hash: 'how keys are hashed; `hsieh` is refused as in usual builds',
  ketama_hash: 'stored and read back; without effect, as in libmemcached',
  ketama: 'distribution "consistent ketama"',
  ketama_weighted: 'distribution "consistent weighted" and hash md5; off: "consistent ketama"',
  distribution: 'how hashes choose servers',
  cas: 'allows gets and cas; text retrieval asks by `gets`',
  buffer_requests:
    'set and delete succeed at once; works here, failures go to the channel `memshim:buffered-failure`',
  verify_keys: 'only graphic ASCII in keys; text protocol only',
  connect_timeout: 'milliseconds for opening a connection',
  send_timeout: 'stored and read back; without effect, as in libmemcached',
  receive_timeout: 'stored and read back; without effect, as in libmemcached',
  num_replicas: 'binary protocol: set and delete go to further servers, get falls back to them',
  auto_eject: 'leaves failed servers out of the continuum; the same switch as remove_failed',
  retry_timeout: 'seconds until a failed server is tried again',
  remove_failed: 'the same switch as auto_eject',
  failure_limit: 'failed attempts until a server counts as dead',
  _io_msg_watermark: 'stored and read back',
  _io_bytes_watermark: 'stored and read back',
  _io_key_prefetch:
    'binary protocol: getMulti notices at the key with this index that a server has reset its connection',
  _hash_with_prefix_key: 'the namespace takes part in hashing',
  _noreply: 'commands carry noreply (binary: quiet opcodes) and succeed unseen',
  _sort_hosts: 'servers are sorted by host and port',
  _poll_timeout: 'milliseconds; here for the whole operation',
  _socket_send_size: 'stored and read back; Node.js cannot set it',
  _socket_recv_size: 'stored and read back; Node.js cannot set it',
  dead_timeout: 'seconds until an ejected server is asked again',
  pickle_protocol: 'pickle protocol for writing; negative: the highest',
}

const counterpart = (method: string): string =>
  renamed[method] ?? method.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

function document(): string {
  const methods = surface.methods.map(
    (name) => `| \`${python[name] ?? name}\` | \`${counterpart(name)}\` | ${notes[name] ?? ''} |`,
  )
  const behaviors = behaviorNames.map(
    (name) => `| \`${name}\` | \`${JSON.stringify(defaultBehaviors[name])}\` | ${effects[name]} |`,
  )
  const exceptions = Object.entries(surface.exceptions)
    .filter(([name]) => name !== 'Error')
    .sort(([, a], [, b]) => (a ?? 99) - (b ?? 99))
    .map(([name, retcode]) => `| \`${name}\` | ${retcode ?? '–'} | \`${name}\` |`)
  return `# pylibmc ${surface.version} and memshim/strict

test/docs/parity.test.ts generates this page from the names of the real library and the tables of the code; outcomes are in [strict.md](../strict.md).

## Methods

| pylibmc | memshim | note |
| --- | --- | --- |
${methods.join('\n')}

## Behaviors

The names are the same; the table has the order in which behaviors are applied. \`namespace\` can be set as well.

| behavior | default | effect |
| --- | --- | --- |
${behaviors.join('\n')}

## Exceptions

\`pylibmc.Error\` is \`MemcachedError\`, which is also its second name in pylibmc.

| pylibmc | retcode | memshim |
| --- | --- | --- |
${exceptions.join('\n')}

## Pools

| pylibmc | memshim |
| --- | --- |
${surface.pools.map((name) => `| \`${name}\` | \`${name}\` |`).join('\n')}
`
}

it('docs/evidence/pylibmc-parity.md says what pylibmc and the code say', async () => {
  await expect(document()).toMatchFileSnapshot(join(root, 'docs', 'evidence', 'pylibmc-parity.md'))
})

describe('nothing of pylibmc is missing', () => {
  it.each(surface.methods)('method %s', (name) => {
    expect(counterpart(name) in Client.prototype).toBe(true)
  })
  it('behaviors, in the order of pylibmc', () => {
    expect([...behaviorNames].sort()).toEqual([...surface.behaviors].sort())
    expect(behaviorNames).toEqual(surface.behaviors)
  })
  it.each(Object.entries(surface.exceptions).filter(([name]) => name !== 'Error'))(
    'exception %s',
    (name, retcode) => {
      const found = new Map<string, unknown>(Object.entries(strict)).get(name) as typeof strict.MemcachedError
      const error = new found('x')
      expect(error).toBeInstanceOf(strict.MemcachedError)
      expect(error.retcode ?? null).toBe(retcode)
      expect(error.python).toBe(`pylibmc.${name === 'MemcachedError' ? 'Error' : name}`)
      if (retcode !== null) expect(errorClasses.get(retcode)).toBe(found)
    },
  )
  it.each(surface.pools)('%s', (name) => {
    expect(strict).toHaveProperty(name)
  })
})
