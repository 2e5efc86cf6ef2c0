/**
 * Publishes every opening of a connection on one tracing channel of `node:diagnostics_channel`, in the form in which ioredis and node-redis publish theirs
 * (`ioredis:connect`, `node-redis:connect`), with OpenTelemetry's attributes beside it. docs/tracing.md describes it for users.
 */
import { tracingChannel } from 'node:diagnostics_channel'
import type { ServerAddress } from './address.js'
import type { TransportError } from './errors.js'
import type { Peer } from './types.js'

/** Attributes of a span. A type and not an interface, so that it fits OpenTelemetry's `Attributes`. */
export type ConnectAttributes = {
  readonly 'db.system.name': 'memcached'
  /** Host as configured, or the path of a Unix socket. */
  readonly 'server.address': string
  readonly 'server.port'?: number
  /** IP address of the open connection. */
  'network.peer.address'?: string
  'network.peer.port'?: number
  /** The kind of failure: `connect`, `connect-timeout`, `lookup`, `tls`, `auth` … */
  'error.type'?: string
}

/** The message of the channel: the same object at every event of an opening. */
export interface ConnectEvent {
  /** Host as configured, or the path of a Unix socket. */
  readonly serverAddress: string
  /** undefined for a Unix socket. */
  readonly serverPort: number | undefined
  /** Complete at `asyncEnd`. */
  readonly attributes: ConnectAttributes
  /** The error of the opening; present at `error` and after. */
  readonly error?: unknown
}

// The same type twice: newer @types/node have the two parameters the other way round.
/**
 * `tracing:memshim:connect:start`, `:end`, `:asyncStart`, `:asyncEnd`, `:error`. The fields are those of ioredis' `ioredis:connect` and of
 * the conventions for databases, https://opentelemetry.io/docs/specs/semconv/database/.
 */
export const connectChannel = tracingChannel<ConnectEvent, ConnectEvent>('memshim:connect')

/** The fields of both channels that name a server. */
export function serverFields(address: ServerAddress): {
  readonly serverAddress: string
  readonly serverPort: number | undefined
} {
  return address.transport === 'unix'
    ? { serverAddress: address.path, serverPort: undefined }
    : { serverAddress: address.host, serverPort: address.port }
}

/** Publishes an opening that has begun. @param opened settles when the connection can be used, or has failed */
export function publishConnect(
  address: ServerAddress,
  opened: Promise<void>,
  peer: () => Peer | undefined,
): void {
  const { serverAddress, serverPort } = serverFields(address)
  const attributes: ConnectAttributes = {
    'db.system.name': 'memcached',
    'server.address': serverAddress,
    ...(serverPort === undefined ? {} : { 'server.port': serverPort }),
  }
  const settled = async () => {
    try {
      await opened
      const other = peer()
      if (!other) return
      attributes['network.peer.address'] = other.address
      attributes['network.peer.port'] = other.port
    } catch (error) {
      attributes['error.type'] = (error as TransportError).kind
      throw error
    }
  }
  connectChannel.tracePromise(settled, { serverAddress, serverPort, attributes }).catch(() => undefined)
}
