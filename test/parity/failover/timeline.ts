/** Timelines of failing servers: what happens to the servers and what is asked of the client, and random ones (docs/formats.md). */
import fc from 'fast-check'
import type { Outcome } from '../../../src/audit/compare/outcome.js'
import type { BehaviorSettings } from '../../../src/strict/index.js'
import type { TypedJson } from '../../../src/values/index.js'
import { pylibmcHashes } from '../../support/pylibmc-hashes.js'

/** A world event (`advance`, `down`, `up`, `stall`, `cut`, `reset`, `restart`, `clone`) or a call of pylibmc's client, with arguments. */
export type Step = readonly [name: string, ...rest: TypedJson[]]

export interface Timeline {
  readonly binary: boolean
  readonly behaviors: BehaviorSettings
  /** Addresses are names: they decide the placement, the sockets go elsewhere. */
  readonly servers: readonly { readonly host: string; readonly port: number; readonly weight: number }[]
  readonly steps: readonly Step[]
}

export type StepOutcome = Outcome & {
  /** Servers that received a request during the step, ascending. */
  readonly asked?: readonly number[]
  /** Servers to which a connection was attempted, in order. */
  readonly attempts?: readonly number[]
}

const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const placements: fc.Arbitrary<BehaviorSettings> = fc.oneof(
  fc.constant({}),
  fc.constantFrom<BehaviorSettings>(
    { ketama: 1 },
    { ketama: 1, hash: 'md5' },
    { ketama_weighted: 1 },
    { distribution: 'consistent' },
    { distribution: 'consistent ketama' },
    { distribution: 'consistent weighted' },
    { distribution: 'consistent ketama spy' },
  ),
  fc.record({
    hash: fc.constantFrom(...pylibmcHashes),
    distribution: fc.constantFrom(
      'modula',
      'consistent',
      'consistent ketama',
      'consistent ketama spy',
      'virtual bucket',
      'random',
    ),
  }) as fc.Arbitrary<BehaviorSettings>,
)

const health: fc.Arbitrary<BehaviorSettings> = fc
  .record({
    auto_eject: some(fc.constantFrom(0, 1, 1, 1)),
    remove_failed: some(fc.constantFrom(0, 1, 1, 1)),
    retry_timeout: some(fc.constantFrom(-1, -1, 0, 1, 2, 3, 5, -3)),
    dead_timeout: some(fc.constantFrom(0, 1, 2, 3, 4, 7, -1)),
    failure_limit: some(fc.constantFrom(1, 1, 1, 2, 2, 3)),
    _sort_hosts: some(fc.constantFrom(0, 0, 0, 1)),
    cas: some(fc.constantFrom(0, 1)),
    num_replicas: some(fc.constantFrom(0, 0, 0, 0, 1, 2)),
  })
  .map((settings) => withoutUndefined(settings) as BehaviorSettings)

/** What should make no difference to failing servers, and what changes keys and placement with it. */
const others: fc.Arbitrary<BehaviorSettings> = fc
  .record({
    connect_timeout: some(fc.constantFrom(-1, 1000, 4000, 4000)),
    send_timeout: some(fc.constantFrom(0, 1, 1_000_000)),
    receive_timeout: some(fc.constantFrom(0, 1, 1_000_000)),
    no_block: some(fc.constantFrom(0, 1)),
    _noreply: some(fc.constantFrom(0, 1)),
    tcp_nodelay: some(fc.constantFrom(0, 1)),
    tcp_keepalive: some(fc.constantFrom(0, 1)),
    ketama_hash: some(fc.constantFrom('md5', 'crc', 'fnv1a_32')),
    _io_key_prefetch: some(fc.constantFrom(0, 2)),
    _hash_with_prefix_key: some(fc.constantFrom(0, 1)),
    namespace: some(fc.constantFrom('ns:', 'n'.repeat(60), 'n'.repeat(127))),
  })
  .map((settings) => withoutUndefined(settings) as BehaviorSettings)

function withoutUndefined(settings: object): object {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

const servers = fc.array(
  fc.record({
    host: fc.constantFrom('127.0.0.1', '127.0.0.1', '10.0.0.1', '10.0.0.2', '192.168.7.44'),
    port: fc.oneof(fc.integer({ min: 22310, max: 22399 }), fc.constant(11211)),
    weight: fc.constantFrom(1, 1, 1, 1, 2, 3),
  }),
  { minLength: 1, maxLength: 6 },
)

/** Each address once: the recorder tells servers apart by it. */
function distinct(list: Timeline['servers']): Timeline['servers'] {
  const seen = new Set<string>()
  return list.filter(({ host, port }) => {
    const address = `${host}:${port}`
    return !seen.has(address) && seen.add(address)
  })
}

const key = fc.nat({ max: 11 }).map((number) => `fo:${number}`)
const keys = fc.uniqueArray(key, { minLength: 1, maxLength: 8 })
const number = fc.nat({ max: 999 })
const prefix = fc.constantFrom('', 'p:', 'fo:')

function steps(count: number, binary: boolean, settings: BehaviorSettings): fc.Arbitrary<Step[]> {
  const copies = binary && Boolean(settings.num_replicas)
  const index = fc.nat({ max: count - 1 })
  const call: MakeStep = (name, ...args) =>
    fc.tuple(fc.constant(name), ...args) as unknown as fc.Arbitrary<Step>
  const mapping = fc
    .tuple(keys, number)
    .map(([names, value]) => Object.fromEntries(names.map((one) => [one, value])))
  const calls: [number, fc.Arbitrary<Step>][] = [
    [8, call('set', key, number)],
    [8, call('get', key)],
    [2, call('add', key, number)],
    [1, call('replace', key, number)],
    [1, call('append', key, fc.constant('7'))],
    [1, call('prepend', key, fc.constant('7'))],
    [4, call('incr', key)],
    [1, call('decr', key)],
    [7, call('get_multi', keys)],
    [3, call('set_multi', mapping)],
    [1, call('add_multi', mapping)],
    [2, call('incr_multi', keys)],
    [2, call('get_multi', keys, prefix)],
    [1, call('set_multi', mapping, fc.constant(0), prefix)],
    [1, call('incr_multi', keys, prefix, fc.constantFrom(1, 7))],
    [1, call('get', key, number)],
    [1, call('flush_all')],
    [3, call('hash', key)],
  ]
  // A copy that is not there to be deleted leaves libmemcached one reply behind.
  if (!copies) calls.push([4, call('delete', key)], [1, call('delete_multi', keys)])
  // A text get leaves its END behind there, which these take for their reply (test/differential/support/deviations.json).
  if (!settings._noreply) calls.push([4, call('touch', key, fc.constant(0))], [1, call('get_stats')])
  if (settings.cas) calls.push([2, call('gets', key)], [2, call('cas', key, number)])
  const events: [number, fc.Arbitrary<Step>][] = [
    [9, call('down', index)],
    [7, call('up', index)],
    [1, call('cut', index)],
    [1, call('reset', index)],
    [1, call('restart', index)],
    [18, call('advance', fc.constantFrom(1, 1, 1, 2, 2, 3, 5, 8))],
    [3, call('disconnect_all')],
    [0.3, call('clone')],
  ]
  // libmemcached waits for replies to copies that will not come where it closes such connections.
  if (!settings.num_replicas) events.push([0.3, call('set_behaviors', changes)])
  const weighted = [...calls, ...events].map(([weight, arbitrary]) => ({
    weight: Math.ceil(weight * 10),
    arbitrary,
  }))
  const usual = fc.oneof(...weighted).map((one) => [one])
  // Copies leave at once here, so that a server that stalls has them, and nothing after them is answered.
  // With `_noreply` nobody hears that a server stalls, and the embedded server takes no note of what it ignores.
  const step =
    settings._poll_timeout && !copies && !settings._noreply
      ? fc.oneof({ weight: 40, arbitrary: usual }, { weight: 1, arbitrary: stalled(index, call) })
      : usual
  const list = fc.array(step, { minLength: 5, maxLength: 90, size: 'max' })
  return list.map((all) => all.flat().flatMap(inStep))
}

type MakeStep = (name: string, ...args: fc.Arbitrary<TypedJson>[]) => fc.Arbitrary<Step>

/**
 * A server that takes requests and answers none until it is up again. Calls of one key only: libmemcached waits anew for each further
 * one, and one deadline covers ours.
 */
function stalled(index: fc.Arbitrary<number>, call: MakeStep): fc.Arbitrary<Step[]> {
  const asked = fc.oneof(
    call('get', key),
    call('set', key, number),
    call('add', key, number),
    call('incr', key),
    call('touch', key, fc.constant(0)),
  )
  return fc
    .tuple(index, fc.array(asked, { minLength: 1, maxLength: 2 }))
    .map(([server, calls]) => [['stall', server], ...calls, ['up', server]])
}

/** Where libmemcached raises for get_multi, it leaves replies unread, which the next get takes away. */
function inStep(step: Step): Step[] {
  return step[0] === 'get_multi' ? [step, ['get', (step[1] as string[])[0]!]] : [step]
}

/** What is changed on the way. */
const changes = fc.oneof(
  fc.constantFrom<BehaviorSettings>(
    { no_block: 1 },
    { tcp_nodelay: 1 },
    { ketama: 1 },
    { distribution: 'modula' },
    { hash: 'crc' },
    { distribution: 'virtual bucket' },
    { _hash_with_prefix_key: 1 },
    { ketama_weighted: 1 },
  ),
  fc.record({ auto_eject: fc.constantFrom(0, 1) }),
  fc.record({ failure_limit: fc.constantFrom(1, 2, 3) }),
  fc.record({ retry_timeout: fc.constantFrom(-1, 0, 1, 4), dead_timeout: fc.constantFrom(0, 1, 3) }),
) as unknown as fc.Arbitrary<TypedJson>

/** One in five meets servers that do not answer (milliseconds). */
const waiting = fc.constantFrom<BehaviorSettings>({}, {}, {}, {}, { _poll_timeout: 1500 })

/** Random timelines over all distributions, hashes, weights and settings of failure. */
export const timelines: fc.Arbitrary<Timeline> = fc.constantFrom(false, false, true).chain((binary) =>
  fc
    .tuple(placements, health, fc.oneof(fc.constant({}), others), waiting, servers.map(distinct))
    .chain(([placement, settings, further, patience, list]) => {
      const { _noreply, ...replying } = further as BehaviorSettings
      // Error frames of quiet commands shift pylibmc's later replies (docs/reference/pylibmc.md#9.5).
      const behaviors = { ...placement, ...settings, ...(binary ? replying : further), ...patience }
      return fc.record({
        binary: fc.constant(binary),
        behaviors: fc.constant(behaviors),
        servers: fc.constant(list),
        steps: steps(list.length, binary, behaviors),
      })
    }),
)
