/**
 * Divergences as OpenTelemetry log records, on the diagnostics channel `memshim:logs`: this package depends on no telemetry library, and a
 * subscriber of three lines passes them to one (docs/migrating.md). Unlike the counters they may name the key.
 * Fields: OpenTelemetry's logs data model, as `Logger.emit` of @opentelemetry/api-logs takes them.
 */
import { channel } from 'node:diagnostics_channel'
import type { Divergence } from './divergence.js'
import { divergenceMeasurement } from './divergence-metrics.js'

/** The argument of `Logger.emit`. */
export interface DivergenceRecord {
  readonly eventName: 'memshim.divergence'
  /** Milliseconds since 1970. */
  readonly timestamp: number
  /** 9 is INFO: nothing has failed. */
  readonly severityNumber: 9
  readonly severityText: 'INFO'
  /** `incr: None, pylibmc: raises NotFound (16)` */
  readonly body: string
  /** The attributes of the counter, with both outcomes, and the key if `recordKeys` is set. */
  readonly attributes: Readonly<Record<string, string | number>>
}

/** Publishes a `DivergenceRecord` for each divergence that a log counts; only when the channel has subscribers. */
export const recordsChannel = channel('memshim:logs')

/** @param now seconds @param keys whether the record has the key */
export function divergenceRecord(divergence: Divergence, now: number, keys: boolean): DivergenceRecord {
  const { operation, key, compat, strict } = divergence
  return {
    eventName: 'memshim.divergence',
    timestamp: Math.round(now * 1000),
    severityNumber: 9,
    severityText: 'INFO',
    body: `${operation}: ${compat}, pylibmc: ${strict}`,
    attributes: {
      ...divergenceMeasurement(divergence).attributes,
      'memshim.compat': compat,
      'memshim.strict': strict,
      ...(keys && key !== undefined ? { 'memshim.key': key } : {}),
    },
  }
}
