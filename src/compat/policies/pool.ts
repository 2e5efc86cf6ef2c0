/** Servers, placement and failure handling by the `hashing` and `failover` switches. Source: docs/reference/python-memcached.md#6 to #7. */

import type { Bytes } from '../../ground/bytes.js'
import {
  DEFAULT_PLACEMENT,
  hashes,
  hashKey,
  type PythonMemcachedPlacement,
  placement,
  pythonMemcachedPlacement,
} from '../../hashing/index.js'
import { closedTakes } from '../../pipeline/failures/transport-failures.js'
import { defaultHealth } from '../../pipeline/health.js'
import {
  type Arrangement,
  HealthSelection,
  libmemcachedArrangement,
} from '../../pipeline/health-selection.js'
import type { Selection, Server, ServerSpec } from '../../pipeline/slots.js'
import { OverflowError } from '../../python/errors.js'
import { addressName, type ServerAddress } from '../../transport/address.js'
import { exchangeWith } from '../../transport/direct.js'
import { CallerWatch } from '../../transport/pending.js'
import type { Exchange } from '../../transport/types.js'
import type { Emulation } from '../emulation/emulation.js'
import { SerialConnection } from '../serial/connection.js'
import { LoggedExchange } from './debug-lines.js'
import { FlushedExchange } from './flushed-exchange.js'
import { PlacementWatch } from './placement-watch.js'
import { ProbingSelection } from './probing.js'
import { valueSlots } from './values.js'

export function compatSelection(emulation: Emulation, specs: readonly ServerSpec[]): Selection {
  const weights = specs.map(({ weight }) => weight)
  const { hash, deadServers } = emulation.rules
  const emulated = hash !== 'one-at-a-time'
  const buckets = emulated ? pythonMemcachedPlacement(weights, hash) : libmemcachedBuckets(specs.length)
  const inner =
    deadServers === 'next-server'
      ? probing(emulation, specs, buckets)
      : healthy(emulation, specs, emulated ? bucketArrangement(buckets) : undefined)
  if (!emulated || specs.length < 2) return inner
  return new PlacementWatch(
    inner,
    buckets,
    placement(specs.map(anyServer), DEFAULT_PLACEMENT),
    emulation.announcer,
  )
}

/** libmemcached's default distribution depends only on the number of servers. */
const anyServer = () => ({ host: 'any', port: 0, weight: 1 })

/** libmemcached's default placement in the form that the probe loop uses. */
function libmemcachedBuckets(count: number): PythonMemcachedPlacement {
  const hash = (key: Bytes) => BigInt(hashKey(hashes.default, key))
  return {
    buckets: count,
    selectable: Array.from({ length: count }, (_, index) => index),
    hash,
    index: (value) => (count === 0 ? undefined : Number(value % BigInt(count))),
    place: (key) => (count === 0 ? undefined : hashKey(hashes.default, key) % count),
    rehash: (value, probe) => hash(`${value}${probe}`),
  }
}

/** python-memcached's buckets for a selection that keeps every key on its server. */
function bucketArrangement(buckets: PythonMemcachedPlacement): Arrangement {
  return {
    ejects: false,
    lay: () => ({
      place: (key) => buckets.place(key) ?? 0,
      at: (digest) => buckets.index(BigInt(digest)) ?? 0,
    }),
  }
}

function probing(
  emulation: Emulation,
  specs: readonly ServerSpec[],
  buckets: PythonMemcachedPlacement,
): ProbingSelection {
  const callers = new CallerWatch()
  const servers = specs.map(
    ({ address, weight }, index): Server => ({
      index,
      address,
      name: addressName(address),
      weight,
      exchange: connection(emulation, address, callers),
    }),
  )
  return new ProbingSelection(servers, buckets, emulation)
}

function healthy(
  emulation: Emulation,
  specs: readonly ServerSpec[],
  arrangement: Arrangement = libmemcachedArrangement(DEFAULT_PLACEMENT),
): HealthSelection {
  for (const { address } of specs)
    if (address.transport === 'tcp' && address.port > 65535)
      throw new OverflowError(`server ${addressName(address)}: port must be 0-65535`)
  const callers = new CallerWatch()
  const settings = { health: defaultHealth, hashPrefix: undefined }
  return new HealthSelection(
    specs,
    arrangement,
    false,
    ({ address }) => connection(emulation, address, callers),
    () => settings,
    emulation.now,
  )
}

function connection(emulation: Emulation, address: ServerAddress, callers: CallerWatch): Exchange {
  const connect = emulation.options.connect ?? undefined
  const exchange = emulation.rules.getsOutOfStep
    ? new SerialConnection(address, { rules: emulation.rules, decode: valueSlots(emulation).decode }, connect)
    : exchangeWith(address, {
        connectTimeout: emulation.timeout,
        stale: 'fail',
        closedTakes: closedTakes[emulation.rules.failures === 'raised' ? 'pylibmc' : 'python-memcached'],
        connect,
        callers,
      })
  const logged = emulation.debugging ? new LoggedExchange(exchange, emulation) : exchange
  return emulation.options.flushOnReconnect ? new FlushedExchange(logged) : logged
}
