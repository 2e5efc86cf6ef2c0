/** Random sequences for pylibmc, text and binary, and the pair of library and strict client. */
import fc from 'fast-check'
import { construct } from '../../src/audit/methods/construct.js'
import type { TypedJson } from '../../src/values/index.js'
import { type InstalledLibrary, PythonLibrary } from '../support/python-library.js'
import { decoded, ownClient, type Pair } from './run-sequence.js'
import type { Sequence, SequenceStep } from './sequence.js'
import { oddNumber, plainKeys, value } from './values.js'

export async function pylibmcPair(installed: InstalledLibrary): Promise<Pair> {
  const python = new PythonLibrary(installed)
  await python.ready()
  return {
    installed,
    python,
    // What the library does, where its documentation says something else.
    construct: (servers, kwargs, now) =>
      ownClient(
        construct('pylibmc', servers, decoded(kwargs), { now, strict: { negativeTimeout: 'send' } }).client,
        installed,
      ),
  }
}

/** `odd`: arguments that nobody should pass; `faulty`: servers that go down, come back, cut and reset connections. */
export const kinds = ['odd', 'faulty'] as const
export type Kind = (typeof kinds)[number]

/** Without blanks: unchecked, pylibmc sends them, and its connection is out of step (test/differential/support/deviations.json). */
const oddKey = fc.constantFrom<TypedJson>(
  '',
  'del\x7f',
  'ключ',
  'é',
  '𝄞',
  'y'.repeat(251),
  'é'.repeat(126),
  { $bytes: 'a' },
  { $bytes: '' },
  { $bytes: '\xff\x80' },
  5,
  true,
  null,
  { $float: '1.5' },
  { $tuple: ['a'] },
  ['a'],
)
const mostly = (usual: fc.Arbitrary<TypedJson>, odd: fc.Arbitrary<TypedJson>) =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd })

const time = mostly(fc.constantFrom<TypedJson>(0, 60, 3600, 2_592_000, 2_000_000_000, -1), oddNumber)
const anyValue = fc.oneof(
  { weight: 4, arbitrary: value },
  { weight: 3, arbitrary: fc.nat({ max: 200 }) as fc.Arbitrary<TypedJson> },
  { weight: 1, arbitrary: fc.constant<TypedJson>({ $repeat: ['z', 5000] }) },
)
const prefix = fc.constantFrom<TypedJson>('', 'p:', 'p:', { $bytes: 'q' }, 'é', 'w'.repeat(249))

function calls(kind: Kind): fc.Arbitrary<SequenceStep> {
  const usual = fc.constantFrom<TypedJson>(...plainKeys)
  const key = kind === 'odd' ? mostly(usual, oddKey) : usual
  const keys = fc.oneof(
    { weight: 8, arbitrary: fc.array(key, { maxLength: 5 }) as fc.Arbitrary<TypedJson> },
    {
      weight: kind === 'odd' ? 1 : 0,
      arbitrary: fc.constantFrom<TypedJson>('ab', { $tuple: ['a', 'b'] }, { a: 1 }),
    },
  )
  const mapping = fc
    .uniqueArray(fc.tuple(usual, anyValue), { maxLength: 4, selector: ([one]) => JSON.stringify(one) })
    .map((pairs) => ({ $dict: pairs }) as unknown as TypedJson)
  const sized = { time, min_compress_len: fc.constantFrom<TypedJson>(0, 1, 100) }
  const call = (
    name: string,
    args: readonly fc.Arbitrary<TypedJson>[],
    options: Readonly<Record<string, fc.Arbitrary<TypedJson>>> = {},
  ): fc.Arbitrary<SequenceStep> =>
    fc
      .tuple(
        fc.tuple(...args),
        fc.record(options, { requiredKeys: [], noNullPrototype: true }),
        fc.constantFrom('a', 'a', 'a', 'b'),
      )
      .map(([given, kwargs, client]) => ({
        call: name,
        args: given,
        ...(Object.keys(kwargs).length > 0 ? { kwargs: kwargs as Record<string, TypedJson> } : {}),
        ...(client === 'a' ? {} : { client }),
      }))
  const delta = kind === 'odd' ? mostly(fc.nat({ max: 50 }), oddNumber) : fc.nat({ max: 50 })
  return fc.oneof(
    { weight: 6, arbitrary: call('get', [key]) },
    { weight: 2, arbitrary: call('gets', [key]) },
    ...(['set', 'add', 'replace'] as const).map((verb) => ({
      weight: verb === 'set' ? 8 : 2,
      arbitrary: call(verb, [key, anyValue], sized),
    })),
    ...(['append', 'prepend'] as const).map((verb) => ({
      weight: 1,
      arbitrary: call(verb, [key, anyValue]),
    })),
    { weight: 4, arbitrary: call('get_multi', [keys], { key_prefix: prefix }) },
    { weight: 3, arbitrary: call('set_multi', [mapping], { ...sized, key_prefix: prefix }) },
    { weight: 1, arbitrary: call('add_multi', [mapping], { key_prefix: prefix }) },
    { weight: 1, arbitrary: call('delete_multi', [keys], { key_prefix: prefix }) },
    { weight: 2, arbitrary: call('incr_multi', [keys], { key_prefix: prefix, delta: fc.nat({ max: 50 }) }) },
    { weight: 3, arbitrary: call('delete', [key]) },
    { weight: 2, arbitrary: call('touch', [key, time]) },
    { weight: 3, arbitrary: call('incr', [key, delta]) },
    { weight: 2, arbitrary: call('decr', [key, delta]) },
    { weight: 1, arbitrary: call('flush_all', []) },
    { weight: 1, arbitrary: call('disconnect_all', []) },
    { weight: 1, arbitrary: call('hash', [key]) },
    {
      weight: 1,
      arbitrary: call('set_behaviors', [
        fc.constantFrom<TypedJson>(
          { cas: 1 },
          { cas: 0 },
          { tcp_nodelay: 1 },
          { hash: 'crc' },
          { hash: 'md5' },
          { no_such: 1 },
        ),
      ]),
    },
  )
}

function faults(servers: number): fc.Arbitrary<SequenceStep> {
  const server = fc.nat({ max: servers - 1 })
  return fc.oneof(
    server.map((server) => ({ fault: 'down', server })),
    server.map((server) => ({ fault: 'up', server })),
    fc
      .tuple(server, fc.constantFrom('close', 'reset'))
      .map(([server, then]) => ({ fault: 'cut', server, then })),
    server.map((server) => ({ raw: 'flush_all\r\n', server })),
  )
}

/** Sequences after which libmemcached's connections are still in step: a get follows what may leave replies unread. */
export function pylibmcSequences(binary: boolean, kind: Kind): fc.Arbitrary<Sequence> {
  return fc.integer({ min: 1, max: 3 }).chain((servers) => {
    const step = calls(kind)
    const steps =
      kind === 'faulty'
        ? fc.oneof({ weight: 5, arbitrary: step }, { weight: 1, arbitrary: faults(servers) })
        : step
    return fc.record(
      {
        servers: fc.constant(servers),
        kwargs: fc
          .record(
            {
              cas: fc.constantFrom(0, 1, 1),
              hash: fc.constantFrom('default', 'md5', 'fnv1a_32'),
              pickle_protocol: fc.integer({ min: 0, max: 4 }),
              // Between waits on the system's clock there is always a race.
              retry_timeout: fc.constantFrom(-1, 600),
              failure_limit: fc.constantFrom(1, 2),
              verify_keys: fc.constantFrom(0, 1),
            },
            { requiredKeys: ['retry_timeout'], noNullPrototype: true },
          )
          .map(
            (behaviors) => ({ binary, behaviors: binary ? withoutKeyChecks(behaviors) : behaviors }) as never,
          ),
        steps: fc
          .array(steps, { minLength: 1, maxLength: 14 })
          .map((all) => (kind === 'faulty' ? all.flatMap(inStep) : all)),
      },
      { noNullPrototype: true },
    ) as fc.Arbitrary<Sequence>
  })
}

/** The binary protocol refuses to set it. */
function withoutKeyChecks({ verify_keys: _, ...others }: Readonly<Record<string, unknown>>) {
  return others
}

function inStep(step: SequenceStep): SequenceStep[] {
  if (!('call' in step) || (step as { call: string }).call !== 'get_multi') return [step]
  const { client } = step as { client?: string }
  return [step, { call: 'get', args: ['a'], ...(client ? { client } : {}) }]
}
