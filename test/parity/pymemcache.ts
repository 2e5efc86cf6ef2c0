/** Random sequences for pymemcache's clients, and the pair of the library and memshim/pymemcache. */
import fc from 'fast-check'
import {
  fromTypedJson,
  PyDate,
  PyDateTime,
  PyDecimal,
  PyFraction,
  PyTime,
  PyTimeDelta,
  PyUuid,
  type TypedJson,
} from '../../src/values/index.js'
import { construct, perform } from '../differential/support/pymemcache.js'
import type { CheckedStage } from '../differential/support/replay-stage.js'
import { type InstalledLibrary, PythonLibrary } from '../support/python-library.js'
import type { Pair } from './run-sequence.js'
import type { CallStep, Sequence, SequenceStep } from './sequence.js'
import { plainKeys, value } from './values.js'

/** The driver's clock stands at it (python/parity/pymemcache_client.py). */
const BEGINNING = 1_000_000_000

export async function pymemcachePair(installed: InstalledLibrary): Promise<Pair> {
  const python = new PythonLibrary(installed)
  await python.ready()
  return {
    installed,
    python,
    clock: BEGINNING,
    settle: { call: 'get_many', args: [Array.from({ length: 40 }, (_, i) => `settle:${i}`)] },
    construct(servers, kwargs, now) {
      const client = construct({ addresses: servers, patience: 4 } as CheckedStage, kwargs, now)
      return {
        call: ({ call, args, kwargs = {}, mask }) => perform(client, { call, args, kwargs, mask }),
        close() {
          try {
            client.close!()
          } catch {
            // As the library, a HashClient stumbles over a dead server that failed again.
          }
        },
      }
    },
  }
}

/**
 * - `odd`: arguments that nobody should pass; every call is answered
 * - `noreply`: commands that nobody waits for
 * - `faulty`: faults of servers and odd arguments
 */
export type Kind = 'odd' | 'noreply' | 'faulty'
export const kinds = ['odd', 'noreply', 'faulty'] as const satisfies readonly Kind[]
export const classes = ['Client', 'HashClient'] as const
export type Class = (typeof classes)[number]

const mostly = (usual: fc.Arbitrary<TypedJson>, odd: fc.Arbitrary<TypedJson>): fc.Arbitrary<TypedJson> =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: odd })

const keyNames = [...plainKeys, { $bytes: 'a' }, { $bytes: 'b' }]
/** Without the empty key, keys of blanks alone and bytearrays (docs/pymemcache.md). */
const oddKey = fc.constantFrom<TypedJson>(
  'a b', 'tab\t', '\ta', 'x\n', 'del\x7f', 'esc\x1b', 'nul\0', 'ключ', 'é', '𝄞', 'y'.repeat(251), 'é'.repeat(126), 'z'.repeat(249), 'VALUE', 'END',
  { $bytes: '\xff\x80' }, { $bytes: 'a b' }, { $bytes: '\xc3\xa9' }, { $bytes: 'nul\0' }, 5, 0, true, null, { $float: '1.5' }, { $tuple: [7, 'a'] }, { $tuple: [] },
  ['a'], {}, { $set: ['a'] },
) // biome-ignore format: a list
const key = mostly(fc.constantFrom<TypedJson>(...keyNames), oddKey)

const goodTime = fc.constantFrom<TypedJson>(
  0, 60, 3600, 2_592_000, 2_592_001, 2_000_000_000, -1, 2 ** 31, 2 ** 33,
) // biome-ignore format: a list
const oddTime = fc.constantFrom<TypedJson>(
  null, true, false, '5', '', { $bytes: '5' }, { $float: '90.7' }, { $float: 'nan' }, [], { $tuple: [60] }, {}, -(2 ** 31), { $int: '9223372036854775807' },
  { $int: '18446744073709551616' }, { $int: '-9223372036854775809' },
) // biome-ignore format: a list
/** Without what flushes later. */
const oddDelay = fc.constantFrom<TypedJson>(null, true, '5', { $bytes: '5' }, { $float: '90.7' }, [])
const delta = mostly(
  fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constantFrom<TypedJson>({ $int: '18446744073709551615' })),
  fc.oneof(oddTime, fc.constantFrom<TypedJson>(-1, 2 ** 53 - 1, 'x')),
)
const token = mostly(
  fc.constant<TypedJson>('$cas'),
  fc.constantFrom<TypedJson>(
    1, 0, -1, '3', '', 'x', 'é', ' 1', { $bytes: '4' }, { $bytes: '' }, { $bytes: 'x' }, null, true, { $float: '1.0' }, [], { $int: '18446744073709551616' },
  ), // biome-ignore format: a list
)
/** Classes whose text is the same without Python. Others are names to memshim, and it cannot tell a function from a class. */
const texts = [PyDate, PyDateTime, PyDecimal, PyFraction, PyTime, PyTimeDelta, PyUuid]

/** Python's repr() escapes characters that are newer than its Unicode tables; 3.11 has those of Unicode 14. */
const newer =
  /[\u{10000}-\u{10ffff}\u0897\u0cf3\u0ece\u1c89\u1c8a\u2ffc-\u2fff\u31ef\ua7cb-\ua7cd\ua7da-\ua7dc]/u
const knownText = value.filter((given) => {
  const json = JSON.stringify(given)
  if (json.includes('"$pickle"') && !texts.some((kind) => fromTypedJson(given) instanceof kind)) return false
  return !newer.test(json)
})
const number = fc.constantFrom<TypedJson>(0, 7, 1000, '10', ' 7 ', { $int: '18446744073709551615' }, '007')
const largeValue = fc.constantFrom<TypedJson>(
  { $repeat: ['x', 2 ** 20 + 1] },
  { $repeat: [{ $bytes: 'y' }, 2 ** 20 + 1] },
  { $repeat: ['z', 5000] },
)

/** Arguments in the places and under the names that Python allows. */
function optional(
  required: readonly fc.Arbitrary<TypedJson>[],
  names: readonly string[],
  options: Readonly<Record<string, fc.Arbitrary<TypedJson>>>,
): fc.Arbitrary<Pick<CallStep, 'args' | 'kwargs'>> {
  const given = fc.record(options, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<
    Record<string, TypedJson>
  >
  return fc.tuple(fc.tuple(...required), given, fc.nat({ max: 3 })).map(([args, chosen, positional]) => {
    const placed: TypedJson[] = [...args]
    const kwargs = { ...chosen }
    for (const name of names.slice(0, positional)) {
      if (!(name in kwargs)) break
      placed.push(kwargs[name]!)
      delete kwargs[name]
    }
    return { args: placed, ...(Object.keys(kwargs).length > 0 ? { kwargs } : {}) }
  })
}

/** Containers that a program may pass in place of a list. */
function containers(keys: fc.Arbitrary<TypedJson[]>, kind: Kind): fc.Arbitrary<TypedJson> {
  const odd = fc.constantFrom<TypedJson>(
    [],
    null,
    'abc',
    5,
    0,
    { a: 1, b: 2 },
    { $bytes: 'a' },
    { $tuple: ['a', 5] },
    {},
  )
  const usual = fc.oneof(
    { weight: 8, arbitrary: keys as fc.Arbitrary<TypedJson> },
    { weight: 1, arbitrary: keys.map(($tuple): TypedJson => ({ $tuple })) },
  )
  return kind === 'noreply' ? usual : fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: odd })
}

function calls(version: string, kind: Kind, hashed: boolean): fc.Arbitrary<SequenceStep> {
  const quiet = kind === 'noreply'
  const time = quiet ? goodTime : mostly(goodTime, oddTime)
  const flags = fc.constantFrom<TypedJson>(0, 1, 2, 16, 2 ** 31, null)
  const noreply: fc.Arbitrary<TypedJson> = quiet
    ? fc.constantFrom<TypedJson>(true, true, false, null)
    : fc.constantFrom<TypedJson>(false, false, 0, null)
  const small = fc.oneof({ weight: 8, arbitrary: knownText }, { weight: 4, arbitrary: number })
  // What does not fit the system's buffers meets a connection that ends in the middle of it.
  const stored =
    kind !== 'odd' ? small : fc.oneof({ weight: 12, arbitrary: small }, { weight: 1, arbitrary: largeValue })
  const keys = containers(fc.array(key, { maxLength: 5 }) as fc.Arbitrary<TypedJson[]>, kind)
  // A refused value closes the connection, and what follows it may not have arrived.
  const pairs = fc
    .uniqueArray(fc.tuple(fc.constantFrom<TypedJson>(...keyNames), small, stored), {
      maxLength: 4,
      selector: ([name]) => JSON.stringify(name),
    })
    .map(
      (list): TypedJson => ({
        $dict: list.map(([name, one, last], i): TypedJson => [name, i === list.length - 1 ? last : one]),
      }),
    )
  const oddPair = fc.tuple(key.filter(isHashable), stored).map((pair): TypedJson => ({ $dict: [pair] }))
  const mapping = quiet ? pairs : mostly(pairs, oddPair)
  const call = (name: string, arbitrary: fc.Arbitrary<Pick<CallStep, 'args' | 'kwargs'>>) =>
    arbitrary.map((given): CallStep => ({ call: name, ...given }))
  const store = { expire: time, noreply, flags }
  const storeNames = ['expire', 'noreply', 'flags']
  const many = (name: string) => fc.constantFrom(`${name}_many`, `${name}_multi`)
  const counted = quiet ? fc.integer({ min: 0, max: 9 }) : delta
  const bare = (name: string, mask?: TypedJson): CallStep => ({
    call: name,
    args: [],
    ...(mask ? { mask } : {}),
  })
  const administration: CallStep[] = [
    ...(quiet ? [] : [bare('quit'), bare('close'), bare('disconnect_all')]),
    ...(hashed || quiet
      ? []
      : [
          bare('version'),
          bare('stats', ['pid', 'version', 'curr_items', 'rusage_user', 'threads']),
          // 3.5.2 puts the prefix before these arguments, and has no raw_command.
          ...(version === '3.5.2'
            ? []
            : [
                { call: 'stats', args: ['settings'], mask: ['maxbytes', 'umask', 'growth_factor', 'cas_enabled'] },
                { call: 'stats', args: [{ $bytes: 'items' }], mask: ['nothing'] },
                { call: 'stats', args: ['no such'], mask: ['nothing'] },
                { call: 'stats', args: [5], mask: ['nothing'] },
                { call: 'cache_memlimit', args: [64] },
                { call: 'raw_command', args: ['get a', 'END\r\n'] },
                { call: 'raw_command', args: [{ $bytes: 'version' }] },
                { call: 'raw_command', args: ['nonsense'] },
                { call: 'raw_command', args: ['é'] },
                { call: 'raw_command', args: ['mn'], kwargs: { end_tokens: { $bytes: 'MN\r\n' } } },
              ]),
        ]),
  ] // biome-ignore format: a list
  return fc.oneof(
    { weight: 5, arbitrary: call('get', optional([key], ['default'], { default: fc.constantFrom<TypedJson>('d', 0, null) })) },
    { weight: 3, arbitrary: call('gets', optional([key], ['default', 'cas_default'], hashed ? {} : { default: fc.constant('d'), cas_default: fc.constant(0) })) },
    { weight: 3, arbitrary: many('get').chain((name) => call(name, optional([keys], [], {}))) },
    { weight: 2, arbitrary: call('gets_many', optional([keys], [], {})) },
    ...(hashed ? [{ weight: 1, arbitrary: call('get_many', optional([keys], ['gets'], { gets: fc.constantFrom<TypedJson>(true, false, 1, 0) })) }] : []),
    ...(['set', 'set', 'set', 'add', 'replace', 'append', 'prepend'] as const).map((verb) => ({
      weight: 2,
      arbitrary: call(verb, optional([key, stored], storeNames, store)),
    })),
    { weight: 3, arbitrary: call('cas', optional([key, stored, token], storeNames, quiet ? { ...store, noreply: fc.constant(false) } : store)) },
    { weight: 3, arbitrary: many('set').chain((name) => call(name, optional([mapping], storeNames, store))) },
    { weight: 2, arbitrary: call('delete', optional([key], ['noreply'], { noreply })) },
    { weight: 2, arbitrary: many('delete').chain((name) => call(name, optional([keys], ['noreply'], { noreply }))) },
    { weight: 2, arbitrary: call('incr', optional([key, counted], [], quiet ? {} : { noreply: fc.constantFrom<TypedJson>(false, null, 0) })) },
    { weight: 2, arbitrary: call('decr', optional([key, counted], [], {})) },
    { weight: 2, arbitrary: call('touch', optional([key], ['expire', 'noreply'], { expire: time, noreply })) },
    { weight: 1, arbitrary: call('flush_all', optional([], ['delay', 'noreply'], { delay: quiet ? fc.constant(0) : mostly(fc.constant<TypedJson>(0), oddDelay), noreply })) },
    ...(administration.length > 0 ? [{ weight: 2, arbitrary: fc.constantFrom<CallStep>(...administration) }] : []),
    ...(hashed || quiet ? [] : [
      { weight: 1, arbitrary: call('__getitem__', optional([key], [], {})) },
    ]),
    ...(hashed || !quiet ? [] : [
      { weight: 1, arbitrary: call('__setitem__', optional([key, stored], [], {})) },
      { weight: 1, arbitrary: call('__delitem__', optional([key], [], {})) },
    ]),
  ) // biome-ignore format: a table
}

/** As a key of a dict. */
function isHashable(given: TypedJson): boolean {
  return (
    typeof given !== 'object' || given === null || '$bytes' in given || '$tuple' in given || '$float' in given
  )
}

/** Lines that a server sends when something is wrong, or for another command. */
const lines = [
  'ERROR', 'SERVER_ERROR out of memory storing object', 'CLIENT_ERROR bad data chunk', 'STORED', 'NOT_STORED', 'EXISTS', 'NOT_FOUND', 'DELETED', 'TOUCHED',
  'OK', 'END', '5', '-5', 'VALUE a 0 1', 'VALUE', 'VERSION 1', '',
] // biome-ignore format: a list

function faults(servers: number): fc.Arbitrary<SequenceStep> {
  const server = fc.nat({ max: servers - 1 })
  const then = fc.constantFrom('close', 'reset')
  return fc.oneof(
    { weight: 2, arbitrary: server.map((server) => ({ fault: 'down', server })) },
    { weight: 3, arbitrary: server.map((server) => ({ fault: 'up', server })) },
    { weight: 2, arbitrary: fc.tuple(server, then).map(([server, then]) => ({ fault: 'cut', server, then })) },
    { weight: 2, arbitrary: fc.tuple(server, then).map(([server, fault]) => ({ fault, server })) },
    { weight: 2, arbitrary: fc.tuple(server, fc.constantFrom(...lines)).map(([server, line]) => ({ fault: 'reply', server, bytes: `${line}\r\n` })) },
    // Node tells of a reset right behind data as of a close, so that a reply that was cut is only closed.
    { weight: 1, arbitrary: fc.tuple(server, fc.nat({ max: 30 })).map(([server, bytes]) => ({ fault: 'truncate', server, bytes })) },
    // A server that was started again: empty, and every connection gone.
    { weight: 1, arbitrary: server.map((server) => ({ raw: 'flush_all\r\n', server })) },
    { weight: 4, arbitrary: fc.constantFrom(1, 2, 5, 61).map((advance) => ({ advance })) },
  ) // biome-ignore format: a table
}

/**
 * A connection that is closed at the first answer of several may lose the commands behind it, or not: once a request has met a fault, and with
 * a time that servers refuse, calls that write many keys have one.
 */
function withoutHalves(steps: SequenceStep[]): SequenceStep[] {
  let met = false
  return steps.map((step) => {
    if ('fault' in step) met ||= /^(reply|truncate|close|reset)$/.test(step.fault)
    if (!('call' in step)) return step
    const { call, args, kwargs } = step as CallStep
    if (!met && !isRefusedTime(kwargs?.expire ?? args[1])) return step
    return /^(set|delete)_(many|multi)$/.test(call)
      ? { ...step, args: [single(args[0]!), ...args.slice(1)] }
      : step
  })
}

/** What pymemcache writes into the command, and no server reads as a time. */
function isRefusedTime(time: TypedJson | undefined): boolean {
  return typeof time === 'boolean' || (typeof time === 'object' && time !== null && '$int' in time)
}

function single(given: TypedJson): TypedJson {
  if (Array.isArray(given)) return given.slice(0, 1)
  if (typeof given !== 'object' || given === null) return given
  const [tag, content] = Object.entries(given)[0] ?? []
  if (tag === '$dict' || tag === '$tuple') return { [tag]: (content as TypedJson[]).slice(0, 1) }
  return tag?.startsWith('$') || tag === undefined ? given : { [tag]: content! }
}

const serde = (version: string): fc.Arbitrary<TypedJson> => {
  const pickles = [
    { $named: 'pickle_serde' },
    { $named: 'pickle_serde' },
    { $named: 'PickleSerde', args: [2] },
  ]
  const compressed = [
    { $named: 'compressed_serde' },
    { $named: 'CompressedSerde', kwargs: { min_compress_len: 20 } },
  ]
  return fc.constantFrom<TypedJson>(
    ...((version === '3.5.2' ? pickles : [...pickles, ...compressed]) as TypedJson[]),
  )
}

/** The constructor's keywords. */
function keywords(version: string, kind: Kind, kindOf: Class): fc.Arbitrary<Record<string, TypedJson>> {
  const flag = fc.boolean() as fc.Arbitrary<TypedJson>
  const shared: Record<string, fc.Arbitrary<TypedJson>> = {
    serde: serde(version),
    ignore_exc: flag,
    allow_unicode_keys: flag,
    no_delay: flag,
    key_prefix: fc.constantFrom<TypedJson>({ $bytes: 'p:' }, { $bytes: '' }, { $bytes: '\xff' }),
    encoding: fc.constantFrom<TypedJson>('ascii', 'utf-8', 'latin-1'),
    default_noreply: kind === 'noreply' ? flag : fc.constant(false),
    timeout: fc.constant({ $float: '5.0' }),
    connect_timeout: fc.constant({ $float: '5.0' }),
  }
  const pooled = {
    ...shared,
    encoding: fc.constant('ascii'),
    max_pool_size: fc.constantFrom<TypedJson>(1, 4, null),
    pool_idle_timeout: fc.constantFrom<TypedJson>(0, 5),
  }
  const hash = {
    ...pooled,
    use_pooling: flag,
    retry_attempts: fc.constantFrom<TypedJson>(0, 1, 2, 3, -1),
    retry_timeout: fc.constantFrom<TypedJson>(0, 1, 4),
    dead_timeout: fc.constantFrom<TypedJson>(0, 2, 60),
  } // biome-ignore format: one line each
  const always = kind === 'noreply' ? [] : ['default_noreply']
  const of = (name: string, options: Record<string, fc.Arbitrary<TypedJson>>) =>
    fc
      .record(options, { requiredKeys: [...always, 'timeout', 'connect_timeout'], noNullPrototype: true })
      .map((given) => ({ class: name, ...given }) as Record<string, TypedJson>)
  const inner =
    kindOf === 'HashClient'
      ? of('HashClient', hash)
      : fc.oneof(
          { weight: 3, arbitrary: of('Client', shared) },
          { weight: 2, arbitrary: of('PooledClient', pooled) },
        )
  // A pool of HashClient takes no encoding of its own.
  const made = inner.map((given) => given)
  const retrying = fc
    .tuple(
      made,
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom<TypedJson>(null, [{ $named: 'OSError' }], [{ $named: 'MemcacheError' }]),
    )
    .map(
      ([inner, attempts, retry_for]): Record<string, TypedJson> => ({
        class: 'RetryingClient',
        inner,
        attempts,
        retry_for,
      }),
    )
  return fc.oneof({ weight: 5, arbitrary: made }, { weight: 1, arbitrary: retrying })
}

export function pymemcacheSequences(version: string, kind: Kind, kindOf: Class): fc.Arbitrary<Sequence> {
  const hashed = kindOf === 'HashClient'
  const count = hashed ? fc.integer({ min: 1, max: 3 }) : fc.constant(1)
  return count.chain((servers) => {
    const step = calls(version, kind, hashed)
    const steps =
      kind === 'faulty'
        ? fc.oneof({ weight: 4, arbitrary: step }, { weight: 1, arbitrary: faults(servers) })
        : step
    return fc.record(
      {
        servers: fc.constant(servers),
        kwargs: keywords(version, kind, kindOf),
        steps: fc.array(steps, { minLength: 1, maxLength: 14 }).map(withoutHalves),
      },
      { noNullPrototype: true },
    )
  })
}

/** Timelines of a HashClient whose servers die and come back, on a clock that stands still between the steps. */
export const timelines: fc.Arbitrary<Sequence> = fc.integer({ min: 1, max: 3 }).chain((servers) => {
  const server = fc.nat({ max: servers - 1 })
  const key = fc.nat({ max: 11 }).map((number): TypedJson => `fo:${number}`)
  const keys = fc.uniqueArray(key, { minLength: 1, maxLength: 6 }) as fc.Arbitrary<TypedJson>
  const mapping = fc
    .uniqueArray(key, { minLength: 1, maxLength: 6 })
    .map((names): TypedJson => Object.fromEntries(names.map((name) => [name, 'v'])))
  const call = (name: string, ...args: fc.Arbitrary<TypedJson>[]) =>
    fc.tuple(...args).map((given): CallStep => ({ call: name, args: given }))
  const name = server.map((index): TypedJson => `server-${index}`)
  const port = fc.constant<TypedJson>(11211)
  const weighted: [number, fc.Arbitrary<SequenceStep>][] = [
    [8, call('get', key)],
    [2, call('gets', key)],
    [8, call('set', key, fc.constantFrom<TypedJson>('v', '5'))],
    [1, call('add', key, fc.constant('v'))],
    [1, call('append', key, fc.constant('v'))],
    [2, call('incr', key, fc.constant(1))],
    [2, call('touch', key, fc.constant(0))],
    [3, call('delete', key)],
    [5, call('get_many', keys)],
    [1, call('gets_many', keys)],
    [4, call('set_many', mapping)],
    [2, call('delete_many', keys)],
    [3, call('flush_all')],
    [1, call('quit')],
    [1, call('close')],
    [1, call('add_server', name, port)],
    [2, call('remove_server', name, port)],
    [9, server.map((server) => ({ fault: 'down', server }))],
    [6, server.map((server) => ({ fault: 'up', server }))],
    [2, fc.tuple(server, fc.constantFrom('close', 'reset')).map(([server, then]) => ({ fault: 'cut', server, then }))],
    [2, fc.tuple(server, fc.constantFrom('close', 'reset')).map(([server, fault]) => ({ fault, server }))],
    [1, server.map((server) => ({ fault: 'reply', server, bytes: 'SERVER_ERROR busy\r\n' }))],
    [14, fc.constantFrom(1, 1, 2, 3, 5, 61).map((advance) => ({ advance }))],
  ] // biome-ignore format: a table
  const options = {
    retry_attempts: fc.constantFrom<TypedJson>(-1, 0, 1, 2, 3),
    retry_timeout: fc.constantFrom<TypedJson>(0, 1, 4),
    dead_timeout: fc.constantFrom<TypedJson>(0, 2, 60),
    ignore_exc: fc.boolean() as fc.Arbitrary<TypedJson>,
    use_pooling: fc.boolean() as fc.Arbitrary<TypedJson>,
    serde: fc.constant<TypedJson>({ $named: 'pickle_serde' }),
  }
  return fc.record({
    servers: fc.constant(servers),
    kwargs: fc.record(options, { requiredKeys: [], noNullPrototype: true }).map(
      (given): Record<string, TypedJson> => ({
        class: 'HashClient',
        ...given,
        default_noreply: false,
        timeout: { $float: '5.0' },
        connect_timeout: { $float: '5.0' },
      }),
    ),
    steps: fc
      .array(fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary }))), {
        minLength: 5,
        maxLength: 50,
        size: 'max',
      })
      .map(withoutHalves),
  })
})
