/** Random sequences for pylibmc, text and binary, and the pair of library and strict client. */
import fc from 'fast-check'
import { construct } from '../../src/audit/methods/constructor/construct.js'
import type { TypedJson } from '../../src/values/index.js'
import { pylibmcHashes } from '../support/pylibmc-hashes.js'
import { type InstalledLibrary, PythonLibrary } from '../support/python-library.js'
import { decoded, ownClient, type Pair } from './run-sequence.js'
import type { Sequence, SequenceStep } from './sequence.js'
import { foreignItem, oddNumber, plainKeys, value } from './values.js'

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
  const odd = (usual: fc.Arbitrary<TypedJson>, other: fc.Arbitrary<TypedJson>) =>
    kind === 'odd' ? mostly(usual, other) : usual
  const mapped = odd(usual, oddKey).filter((one) => !Array.isArray(one))
  const mapping = fc
    // What Python takes for one key of a dict.
    .uniqueArray(fc.tuple(mapped, anyValue), {
      maxLength: 4,
      selector: ([one]) => JSON.stringify(one === true ? 1 : one),
    })
    .map((pairs) => ({ $dict: pairs }) as unknown as TypedJson)
  const sized = {
    time,
    min_compress_len: odd(fc.constantFrom<TypedJson>(0, 1, 100), oddNumber),
    compress_level: odd(
      fc.constantFrom<TypedJson>(-1, 0, 1, 6, 9),
      fc.oneof(oddNumber, fc.constantFrom(10, -2)),
    ),
  }
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
    { weight: 1, arbitrary: call('get', [key, anyValue]) },
    { weight: 2, arbitrary: call('gets', [key]) },
    { weight: 2, arbitrary: call('cas', [key, anyValue, token(kind)]) },
    { weight: 1, arbitrary: call('cas', [key, anyValue, token(kind), time]) },
    { weight: 1, arbitrary: call('set', [key, anyValue, time, sized.min_compress_len]) },
    { weight: 1, arbitrary: call('set_multi', [mapping, time, prefix]) },
    { weight: 1, arbitrary: call('__getitem__', [key]) },
    { weight: 1, arbitrary: call('__setitem__', [key, anyValue]) },
    { weight: 1, arbitrary: call('__delitem__', [key]) },
    { weight: 1, arbitrary: call('__contains__', [key]) },
    ...(kind === 'odd'
      ? [
          {
            weight: 1,
            arbitrary: call('get_stats', [fc.constantFrom<TypedJson>('', { $bytes: 'items' }, 5, null)]),
          },
          {
            weight: 1,
            arbitrary: call('flush_all', [fc.constantFrom<TypedJson>(0, -1, false, null, '5', [])]),
          },
          { weight: 1, arbitrary: call('incr_multi', [keys, prefix, oddNumber]) },
          { weight: 1, arbitrary: call('get', [key], { no_such: fc.constant(1) }) },
          { weight: 1, arbitrary: call('set', [key], { val: anyValue, time: oddNumber }) },
          { weight: 1, arbitrary: call('delete', [key, fc.constant(0)]) },
        ]
      : []),
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
          { hash: 'jenkins' },
          { verify_keys: 1 },
          { pickle_protocol: 2 },
          { no_such: 1 },
          { hash: 'hsieh' },
          { hash: 'none' },
          { distribution: 'consistent max' },
          { failure_limit: 0 },
          { cas: 'x' },
          5,
        ),
      ]),
    },
  )
}

/** Zero over text is refused here: pylibmc sends a command without token, and stays one reply behind (deviations.json). */
function token(kind: Kind): fc.Arbitrary<TypedJson> {
  const usual = fc.constantFrom<TypedJson>('$cas', '$cas', '$cas', 1, 5, -1)
  const others = fc.constantFrom<TypedJson>(
    'x',
    null,
    { $float: '1.5' },
    { $int: '9223372036854775807' },
    { $int: '9223372036854775808' },
    { $int: '-9223372036854775808' },
    { $int: '18446744073709551616' },
  )
  return kind === 'odd' ? mostly(usual, others) : usual
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
    const written = fc
      .tuple(foreignItem(fc.constantFrom(...plainKeys)), fc.nat({ max: servers - 1 }))
      .map(([raw, server]) => ({ raw, server }))
    const steps =
      kind === 'faulty'
        ? fc.oneof({ weight: 5, arbitrary: step }, { weight: 1, arbitrary: faults(servers) })
        : fc.oneof({ weight: 12, arbitrary: step }, { weight: 1, arbitrary: written })
    return fc
      .record(
        {
          servers: fc.constant(servers),
          kwargs: fc
            .record(
              {
                cas: fc.constantFrom(0, 1, 1),
                hash: fc.constantFrom(...pylibmcHashes),
                pickle_protocol: fc.oneof(
                  { weight: 9, arbitrary: fc.integer({ min: -1, max: 5 }) },
                  { weight: 1, arbitrary: fc.constantFrom(-7, 6, 100) },
                ),
                namespace: fc.constantFrom('ns:', 'n'.repeat(60)),
                _hash_with_prefix_key: fc.constantFrom(0, 1),
                no_block: fc.constantFrom(0, 1),
                tcp_nodelay: fc.constantFrom(0, 1),
                // Between waits on the system's clock there is always a race.
                retry_timeout: fc.constantFrom(-1, 600),
                failure_limit: fc.constantFrom(1, 2),
                verify_keys: fc.constantFrom(0, 1),
              },
              { requiredKeys: ['retry_timeout'], noNullPrototype: true },
            )
            .map(
              (behaviors) =>
                ({ binary, behaviors: binary ? withoutKeyChecks(behaviors) : behaviors }) as never,
            ),
          steps: fc.array(steps, { minLength: 1, maxLength: 20 }).map((all) => all.flatMap(inStep)),
        },
        { noNullPrototype: true },
      )
      .map(withShortKeys) as fc.Arbitrary<Sequence>
  })
}

/** A key that is too long with its namespace is refused here, and by the server there (deviations.json). */
function withShortKeys<S extends { readonly kwargs: unknown; readonly steps: unknown }>(sequence: S): S {
  if (!/z{200}|y{200}|w{200}|é{100}/.test(JSON.stringify(sequence.steps))) return sequence
  const { behaviors, ...others } = sequence.kwargs as { readonly behaviors: object }
  const { namespace: _, ...kept } = behaviors as { readonly namespace?: string }
  return { ...sequence, kwargs: { ...others, behaviors: kept } }
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
