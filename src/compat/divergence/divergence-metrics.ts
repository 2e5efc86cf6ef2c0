/**
 * Divergences as measurements of an OpenTelemetry counter, on the diagnostics channel `memshim:metrics`: this package depends on
 * no telemetry library; a subscriber of five lines passes them to one (docs/migrating.md). Attribute names: OpenTelemetry's
 * semantic conventions for database clients, and `memshim.switch`.
 */
import { channel } from 'node:diagnostics_channel'
import type { Divergence } from './divergence.js'

/** One measurement of a counter. */
export interface CounterMeasurement {
  /** Name of the instrument. */
  readonly name: string
  readonly instrument: 'counter'
  /** In the notation of UCUM: a count of things named in braces. */
  readonly unit: string
  readonly description: string
  /** The value to add, above 0. */
  readonly value: number
  readonly attributes: Readonly<Record<string, string | number>>
}

/** Name of the `node:diagnostics_channel` channel of measurements. */
export const metricsChannelName = 'memshim:metrics'
/** Publishes a `CounterMeasurement` for each divergence that a log counts; only when the channel has subscribers. */
export const metricsChannel = channel(metricsChannelName)

/** `memshim.divergences`, by switch, operation and server; never by key, so that the number of series stays bounded. */
export function divergenceMeasurement({ switch: name, operation, server }: Divergence): CounterMeasurement {
  return {
    name: 'memshim.divergences',
    instrument: 'counter',
    unit: '{divergence}',
    description: 'Outcomes that python-memcached and pylibmc do not share.',
    value: 1,
    attributes: {
      'db.system.name': 'memcached',
      'db.operation.name': operation.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      'memshim.switch': name,
      ...(server === undefined ? {} : serverAttributes(server)),
    },
  }
}

/** `host:port` and `[v6]:port` in their parts; the path of a Unix socket has no port. */
function serverAttributes(server: string): Record<string, string | number> {
  const [, v6, host, port] = /^(?:\[([^\]]*)\]|([^/:]*)):(\d+)$/.exec(server) ?? []
  if (port === undefined) return { 'server.address': server }
  return { 'server.address': (v6 ?? host)!, 'server.port': Number(port) }
}
