/** Opens the socket of a connection: TCP, Unix or TLS. */
import { connect as connectPlain, type OnReadOpts, Socket, type TcpSocketConnectOpts } from 'node:net'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { shown } from '../ground/arguments.js'
import type { ServerAddress } from './address.js'
import type { Peer } from './types.js'

/** Options of `node:tls` that make sense for a memcached started with `-Z`; `true` = the system's defaults. */
export type Tls =
  | true
  | Pick<
      TlsOptions,
      | 'ca'
      | 'cert'
      | 'key'
      | 'passphrase'
      | 'rejectUnauthorized'
      | 'servername'
      | 'checkServerIdentity'
      | 'minVersion'
      | 'ciphers'
    >

/**
 * Opens the connection to a server instead of memshim. Returns the client's end, whose event `connect` is still to come.
 * For tests and audits, e.g. `EmbeddedServer.connect`.
 */
export type Connect = (address: ServerAddress) => Socket

/** A connection that is never made: it fails with this error. */
export function refusedSocket(error: Error): Socket {
  const socket = new Socket()
  process.nextTick(() => socket.destroy(error))
  return socket
}

export interface SocketOptions {
  readonly connect?: Connect | undefined
  readonly noDelay: boolean
  readonly keepAlive: boolean
  readonly tls: Tls | undefined
}

export interface SocketEvents {
  connected(): void
  /** Receives the bytes of a plain socket instead of `data`. */
  receiver?(): OnReadOpts
  /** The chunk is only valid during the call. */
  data(chunk: Buffer): void
  /** Everything written has been taken by the system. */
  drained(): void
  error(error: NodeJS.ErrnoException): void
  end(): void
}

export function openSocket(address: ServerAddress, options: SocketOptions, events: SocketEvents): Socket {
  const { connect, tls } = options
  const onread = connect || tls ? undefined : events.receiver?.()
  const socket = connect
    ? socketOf(connect(address))
    : tls
      ? overTls(address, options, tls)
      : connectPlain({ ...(target(address, options) as TcpSocketConnectOpts), ...(onread && { onread }) })
  socket.once(tls && !connect ? 'secureConnect' : 'connect', () => events.connected())
  if (!onread) socket.on('data', (chunk: Buffer) => events.data(chunk))
  socket.on('drain', () => events.drained())
  socket.on('error', (error) => events.error(error))
  socket.on('end', () => events.end())
  socket.on('close', () => events.end())
  return socket
}

/** @throws TypeError for what is no socket, such as the promise of one */
function socketOf(returned: unknown): Socket {
  const { once, then } = Object(returned) as { readonly once?: unknown; readonly then?: unknown }
  if (typeof once === 'function') return returned as Socket
  // The failure of this connection is reported below, and not once more as an unhandled rejection.
  if (typeof then === 'function') Promise.resolve(returned).catch(() => {})
  throw new TypeError(`connect returned ${shown(returned)}, not a socket`)
}

function overTls(address: ServerAddress, options: SocketOptions, tls: Tls): Socket {
  const { servername, ...given } = tls === true ? {} : tls
  const named =
    servername ?? (address.transport === 'tcp' && /[^\d.:]/.test(address.host) ? address.host : '')
  // Not an import: loading it takes longer than all other parts of a client without TLS.
  const tlsModule = process.getBuiltinModule('node:tls')
  return tlsModule.connect({ ...target(address, options), ...given, servername: named } as TlsOptions)
}

function target(address: ServerAddress, { noDelay, keepAlive }: SocketOptions): object {
  if (address.transport === 'unix') return { path: address.path }
  const { host, port, family } = address
  return { host, port, family: family ?? 0, noDelay, keepAlive }
}

/** Undefined before the connection is there, after it is gone, and for Unix sockets. */
export function peerOf(socket: Socket | undefined): Peer | undefined {
  const { remoteAddress, remotePort } = socket ?? {}
  if (remoteAddress === undefined || remotePort === undefined) return undefined
  return { address: remoteAddress, port: remotePort }
}
