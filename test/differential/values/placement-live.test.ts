/**
 * Placement equals live pylibmc's `hash()`: random servers, weights, ports, sockets and behaviors, random keys. Python answers in
 * one long-lived process; the client is never connected.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BehaviorSettings, Client } from '../../../src/strict/index.js'
import type { TypedJson } from '../../../src/values/index.js'
import { pylibmcHashes } from '../../support/pylibmc-hashes.js'
import { installed, PythonLibrary, skipped } from '../../support/python-library.js'

const pylibmc = installed.find(({ library }) => library === 'pylibmc')!

const host = fc.oneof(
  fc.ipV4(),
  fc.constantFrom('localhost', 'cache-1.example.org', 'cache-2.example.org', 'a'),
  fc.ipV6().map((address) => `[${address}]`),
)
const port = fc.oneof(fc.constant(11211), fc.integer({ min: 1, max: 65535 }))
const weight = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 40 }))
const tcp = fc
  .tuple(host, port, weight, fc.boolean())
  .map(([name, number, heavy, weighted]) => `${name}:${number}${weighted ? `:${heavy}` : ''}`)
const servers = fc.oneof(
  { weight: 9, arbitrary: fc.array(tcp, { minLength: 1, maxLength: 16 }) },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.stringMatching(/^[a-z]{1,12}$/).map((name) => `/run/${name}.sock`),
      { minLength: 1, maxLength: 6 },
    ),
  },
)
const behaviors = fc.record(
  {
    hash: fc.constantFrom(...pylibmcHashes),
    distribution: fc.constantFrom(
      'modula',
      'consistent',
      'consistent ketama',
      'consistent ketama spy',
      'consistent weighted',
    ),
    ketama: fc.boolean(),
    ketama_weighted: fc.boolean(),
    ketama_hash: fc.constantFrom('default', 'md5', 'crc'),
    _sort_hosts: fc.boolean(),
    namespace: fc.constantFrom('ns:', 'application-one/'),
    _hash_with_prefix_key: fc.boolean(),
  },
  { requiredKeys: [] },
)
const key = fc.oneof(
  fc.stringMatching(/^[!-~]{1,60}$/),
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((text) => !/[\0-\x20\x7f]|\p{Surrogate}/u.test(text)),
)

describe.skipIf(!pylibmc.python)(
  `placement and live pylibmc ${pylibmc.version} (${pylibmc.python ? 'live' : skipped})`,
  () => {
    const python = pylibmc.python ? new PythonLibrary(pylibmc) : undefined
    beforeAll(() => python?.start(['127.0.0.1:1']))
    afterAll(() => python?.stop())

    it('every key is on the server where pylibmc has it', async () => {
      let checked = 0
      await fc.assert(
        fc.asyncProperty(
          servers,
          behaviors,
          fc.array(key, { minLength: 1, maxLength: 60 }),
          async (list, settings, keys) => {
            await python!.create(list, { behaviors: settings as TypedJson })
            const ours = new Client(list, { behaviors: settings as BehaviorSettings })
            for (const each of keys) {
              const answer = await python!.call('hash', [each])
              expect([each, ours.hash(each)]).toEqual([each, 'result' in answer ? answer.result : answer])
              checked++
            }
          },
        ),
        { numRuns: 600 },
      )
      expect(checked).toBeGreaterThan(2000)
    }, 120_000)

    it('behaviors set later place keys as pylibmc then does', async () => {
      await fc.assert(
        fc.asyncProperty(
          servers,
          behaviors,
          behaviors,
          fc.array(key, { minLength: 1, maxLength: 20 }),
          async (list, first, later, keys) => {
            await python!.create(list, { behaviors: first as TypedJson })
            const ours = new Client(list, { behaviors: first as BehaviorSettings })
            const { namespace: _, ...rest } = later
            // Half of the time the hash alone, which leaves a continuum as it is.
            const second = rest.hash && list.length % 2 ? { hash: rest.hash } : rest
            await python!.call('set_behaviors', [second as TypedJson])
            ours.setBehaviors(second as BehaviorSettings)
            for (const each of keys) {
              const answer = await python!.call('hash', [each])
              expect([each, ours.hash(each)]).toEqual([each, 'result' in answer ? answer.result : answer])
            }
          },
        ),
        { numRuns: 120 },
      )
    }, 120_000)
  },
)
