/** Random sequences for python-memcached, by the signatures of one version, and the pair of library and compat client. */
import fc from 'fast-check'
import { construct } from '../../src/audit/methods/constructor/construct.js'
import type { PresetName } from '../../src/compat/index.js'
import { versionAtLeast } from '../../src/rules/version.js'
import type { TypedJson } from '../../src/values/index.js'
import { type InstalledLibrary, PythonLibrary } from '../support/python-library.js'
import { decoded, ownClient, type Pair } from './run-sequence.js'
import type { Sequence, SequenceStep } from './sequence.js'
import { foreignItem, largeValue, oddKey, oddNumber, plainKeys, time, value } from './values.js'

export async function pythonMemcachedPair(installed: InstalledLibrary): Promise<Pair> {
  const python = new PythonLibrary(installed)
  await python.ready()
  const emulate = `python-memcached-${installed.version}` as PresetName
  return {
    installed,
    python,
    // Replies stay unread when get_multi meets a value that cannot be read, and set_multi one that cannot be written. Only the library's own
    // exceptions come before anything is sent.
    outOfStep: ({ call }, answer) =>
      /^(get|set)_multi$/.test(call) && 'raises' in answer && !answer.raises.class.startsWith('memcache.'),
    construct: (servers, kwargs, now) =>
      ownClient(
        construct('python-memcached', servers, decoded(kwargs), { now, compat: { emulate } }).client,
        installed,
      ),
  }
}

/** `mostly` an argument of the usual kind, now and then an odd one. */
function mostly(usual: fc.Arbitrary<TypedJson>, odd: fc.Arbitrary<TypedJson>): fc.Arbitrary<TypedJson> {
  return fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: odd })
}

const key = mostly(fc.constantFrom(...plainKeys), oddKey)
const prefix: fc.Arbitrary<TypedJson> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<TypedJson>('', 'p:', { $bytes: 'q' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<TypedJson>('é', 'a b', 'w'.repeat(249), null, 5, { $tuple: [1, 'p'] }),
  },
)
const anyValue = fc.oneof(
  { weight: 8, arbitrary: value },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 200 }) },
  { weight: 1, arbitrary: largeValue },
)

/** Keywords that are given or left out. */
function keywords(
  arbitraries: Readonly<Record<string, fc.Arbitrary<TypedJson>>>,
): fc.Arbitrary<Readonly<Record<string, TypedJson>>> {
  return fc.record(arbitraries, { requiredKeys: [], noNullPrototype: true }) as never
}

type MakeCall = (
  name: string,
  args: readonly fc.Arbitrary<TypedJson>[],
  options: Readonly<Record<string, fc.Arbitrary<TypedJson>>>,
) => fc.Arbitrary<SequenceStep>

const callsBy =
  (clients: readonly string[]): MakeCall =>
  (name, args, options) =>
    fc
      .tuple(fc.tuple(...args), keywords(options), fc.constantFrom(...clients))
      .map(([given, kwargs, client]) => ({
        call: name,
        args: given,
        ...(Object.keys(kwargs).length > 0 ? { kwargs } : {}),
        ...(client === 'a' ? {} : { client }),
      }))

/**
 * - `odd`: arguments that nobody should pass
 * - `noreply`: commands that nobody waits for, by one client, since connections overtake each other
 * - `faulty`: faults of servers and odd arguments
 */
export type Kind = 'odd' | 'noreply' | 'faulty'
export const kinds = ['odd', 'noreply', 'faulty'] as const satisfies readonly Kind[]

function calls(version: string, kind: Kind): fc.Arbitrary<SequenceStep> {
  // The server complains about odd numbers also when nobody waits, and that complaint would answer the next command.
  const anyTime = kind === 'noreply' ? time : mostly(time, oddNumber)
  const anyDelta = fc.integer({ min: 0, max: 50 })
  const delta = mostly(anyDelta, fc.oneof(oddNumber, fc.constant({ $int: '18446744073709551616' })))
  const length = fc.constantFrom<TypedJson>(0, 1, 100)
  const call = callsBy(kind === 'noreply' ? ['a'] : ['a', 'a', 'a', 'b'])
  const quiet: Record<string, fc.Arbitrary<TypedJson>> = kind === 'noreply' ? { noreply: fc.boolean() } : {}
  const sized = { time: anyTime, min_compress_len: kind === 'noreply' ? length : mostly(length, oddNumber) }
  const store = ['set', 'add', 'replace', 'append', 'prepend', 'cas'] as const
  const keys = fc.oneof(
    { weight: 8, arbitrary: fc.array(key, { maxLength: 5 }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<TypedJson>(
        'ab',
        5,
        null,
        { a: 1, b: 2 },
        { $tuple: ['a', 'b'] },
        { $bytes: 'ab' },
      ),
    },
  )
  const hashable = key.filter(
    (one) =>
      !(
        Array.isArray(one) ||
        (typeof one === 'object' && one !== null && ('$set' in one || '$bytearray' in one))
      ),
  )
  // A value over the limit makes set_multi wait for the timeout.
  const storable =
    kind === 'noreply'
      ? value
      : fc.oneof({ weight: 20, arbitrary: value }, { weight: 1, arbitrary: largeValue })
  const pairs = fc.uniqueArray(fc.tuple(hashable, storable), {
    maxLength: 5,
    // What Python takes for one key of a dict.
    selector: ([one]) => JSON.stringify(one === true ? 1 : one === false ? 0 : one),
  })
  const mapping = mostly(
    pairs.map(($dict) => ({ $dict })),
    fc.constantFrom<TypedJson>([], 'x', null, 5, {}),
  )
  const later = versionAtLeast(version, '1.60')
  // From 1.60 on it means that nobody waits, and what is written past the client could overtake the command.
  const second = later ? fc.constantFrom<TypedJson>(0, null, false, '', []) : anyTime
  // An error line behind a command that nobody waited for closes our connection, and answers the next command of the library.
  const silent = kind === 'noreply'
  const timed: Record<string, fc.Arbitrary<TypedJson>> = silent ? {} : { time: anyTime }
  return fc.oneof(
    { weight: 4, arbitrary: call('get', [key], {}) },
    ...(later ? [{ weight: 1, arbitrary: call('get', [key, value], {}) }] : []),
    { weight: 3, arbitrary: call('gets', [key], {}) },
    ...store.map((verb) => ({
      weight: verb === 'set' ? 6 : 2,
      arbitrary: call(verb, [key, silent ? value : anyValue], { ...sized, ...quiet }),
    })),
    ...(kind === 'odd'
      ? [
          { weight: 1, arbitrary: call('set', [key, anyValue, anyTime, sized.min_compress_len], {}) },
          { weight: 1, arbitrary: call('set_multi', [mapping, anyTime, prefix, sized.min_compress_len], {}) },
          { weight: 1, arbitrary: call('get_multi', [keys, prefix], {}) },
          { weight: 1, arbitrary: call('delete', [key, second], {}) },
          { weight: 1, arbitrary: call('touch', [key, anyTime], {}) },
          { weight: 1, arbitrary: call('incr', [key], {}) },
          { weight: 1, arbitrary: call('get', [key], { no_such: anyDelta }) },
          { weight: 1, arbitrary: call('set', [], { key, val: anyValue, time: anyTime }) },
        ]
      : []),
    { weight: 4, arbitrary: call('get_multi', [keys], { key_prefix: prefix }) },
    { weight: 4, arbitrary: call('set_multi', [mapping], { ...sized, key_prefix: prefix, ...quiet }) },
    { weight: 3, arbitrary: call('delete_multi', [keys], { ...timed, key_prefix: prefix, ...quiet }) },
    { weight: 2, arbitrary: call('delete', [key], later ? quiet : { ...timed, ...quiet }) },
    ...(silent ? [] : [{ weight: 2, arbitrary: call('touch', [key], { time: anyTime }) }]),
    // Behind commands without reply their error lines are attributed, because they are never silent themselves here.
    { weight: 2, arbitrary: call('incr', [key], { delta: silent ? anyDelta : delta }) },
    { weight: 2, arbitrary: call('decr', [key], { delta: silent ? anyDelta : delta }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...calledBare.filter((name) => leftOut[kind] !== name).map((name) => ({ call: name, args: [] })),
      ),
    },
  )
}

/**
 * A connection that is closed while commands are on their way may be overtaken; after a reset in flush_all the library keeps its broken
 * socket (docs/compat.md).
 */
const leftOut: Readonly<Record<Kind, string | undefined>> = {
  odd: undefined,
  noreply: 'disconnect_all',
  faulty: 'flush_all',
}
const calledBare = ['flush_all', 'disconnect_all', 'forget_dead_hosts', 'reset_cas']

/** Lines that a server sends when something is wrong, or for another command. */
const lines = [
  'ERROR',
  'SERVER_ERROR out of memory storing object',
  'CLIENT_ERROR bad data chunk',
  'STORED',
  'NOT_STORED',
  'EXISTS',
  'NOT_FOUND',
  'DELETED',
  'TOUCHED',
  'OK',
  'END',
  '5',
  '-5',
  '',
]

function faults(servers: number): fc.Arbitrary<SequenceStep> {
  const server = fc.nat({ max: servers - 1 })
  const then = fc.constantFrom('close', 'reset')
  return fc.oneof(
    { weight: 2, arbitrary: server.map((server) => ({ fault: 'down', server })) },
    { weight: 3, arbitrary: server.map((server) => ({ fault: 'up', server })) },
    {
      weight: 2,
      arbitrary: fc.tuple(server, then).map(([server, then]) => ({ fault: 'cut', server, then })),
    },
    { weight: 2, arbitrary: fc.tuple(server, then).map(([server, fault]) => ({ fault, server })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(server, fc.constantFrom(...lines))
        .map(([server, line]) => ({ fault: 'reply', server, bytes: `${line}\r\n` })),
    },
    // Node tells of a reset right behind data as of a close, so that a reply that was cut is only closed.
    {
      weight: 1,
      arbitrary: fc
        .tuple(server, fc.nat({ max: 30 }))
        .map(([server, bytes]) => ({ fault: 'truncate', server, bytes })),
    },
    // A server that was started again: empty, and every connection gone.
    { weight: 1, arbitrary: server.map((server) => ({ raw: 'flush_all\r\n', server })) },
    { weight: 3, arbitrary: fc.constantFrom(5, 31, 100).map((advance) => ({ advance })) },
  )
}

/**
 * A connection on which a reply of another command arrives is closed by our client and kept by the library (docs/compat.md): further
 * replies on it are lost, and later only one of the two has a connection to lose.
 */
function withoutLateCuts(steps: SequenceStep[]): SequenceStep[] {
  const foreign = steps.findIndex((step) => 'bytes' in step && !/ERROR/.test(String(step.bytes)))
  if (foreign < 0) return steps
  return steps.filter(
    (step, index) => index < foreign || !('fault' in step && /^(cut|down|reply)$/.test(step.fault)),
  )
}

function written(servers: number): fc.Arbitrary<SequenceStep> {
  return fc
    .tuple(foreignItem(fc.constantFrom(...plainKeys)), fc.nat({ max: servers - 1 }))
    .map(([raw, server]) => ({ raw, server }))
}

export function sequences(version: string, kind: Kind): fc.Arbitrary<Sequence> {
  return fc.integer({ min: 1, max: 3 }).chain((servers) => {
    const step = calls(version, kind)
    const steps =
      kind === 'faulty'
        ? fc.oneof({ weight: 4, arbitrary: step }, { weight: 1, arbitrary: faults(servers) })
        : kind === 'odd'
          ? fc.oneof({ weight: 12, arbitrary: step }, { weight: 1, arbitrary: written(servers) })
          : step
    return fc.record(
      {
        servers: fc.constant(servers),
        weights: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: servers, maxLength: servers }),
        kwargs: keywords({
          cache_cas: fc.boolean(),
          pickleProtocol: fc.integer({ min: 0, max: 4 }),
          // Longer keys are refused here, and sent and refused by the server there (docs/compat.md).
          server_max_key_length: fc.constantFrom(10, 250),
          server_max_value_length: fc.constantFrom(0, 100, 2 ** 20),
          dead_retry: fc.constantFrom(0, 10, 30),
          flush_on_reconnect: fc.constantFrom(0, 1),
          check_keys: fc.constant(true),
        }).map((kwargs) => ({ ...kwargs, socket_timeout: { $float: '1.5' } })),
        steps: fc.array(steps, { minLength: 1, maxLength: 18 }).map(withoutLateCuts),
      },
      { noNullPrototype: true },
    ) as fc.Arbitrary<Sequence>
  })
}
