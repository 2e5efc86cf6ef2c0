/**
 * Publishes every exchange with a server on one tracing channel of `node:diagnostics_channel`, with the names of OpenTelemetry's stable database
 * conventions (https://opentelemetry.io/docs/specs/semconv/db/database-spans/). docs/tracing.md describes it for users.
 */
import { tracingChannel } from 'node:diagnostics_channel'
import type { Bytes } from '../ground/bytes.js'
import type { Request } from '../protocol/requests.js'
import type { LineReply, Reply } from '../protocol/wire.js'
import { TransportError } from '../transport/errors.js'
import { serverFields } from '../transport/tracing.js'
import type { ExchangeOptions, Receiver } from '../transport/types.js'
import { MemcachedError } from './failures/errors.js'
import type { Operation } from './operations.js'
import { isRefusal, replyCode } from './replies.js'
import type { Server } from './slots.js'

/** Attributes of a database client span. A type and not an interface, so that it fits OpenTelemetry's `Attributes`. */
export type CommandAttributes = {
  readonly 'db.system.name': 'memcached'
  /** memcached's command: `get`, `set`, `incr` …; `BATCH get` when it names two keys or more; `connect` where compat connects. */
  readonly 'db.operation.name': string
  /** Keys of one retrieval, when there are two or more. */
  readonly 'db.operation.batch.size'?: number
  /** The behavior `namespace`, where one is set. */
  readonly 'db.namespace'?: string
  /** Command and keys, `?` in the place of a value or number: `set session:1 ?`. Of more than ten keys the first ten. */
  readonly 'db.query.text'?: string
  /** Host as configured, or the path of a Unix socket. */
  readonly 'server.address': string
  readonly 'server.port'?: number
  /** IP address of the open connection. */
  'network.peer.address'?: string
  'network.peer.port'?: number
  /** libmemcached's return code (docs/reference/pylibmc.md#6), unless it means success: `16` not found, `31` timeout, `47` server down … */
  'db.response.status_code'?: string
  /** Name of the error's class; for errors without their own class the kind of transport failure, e.g. `timeout`. */
  'error.type'?: string
}

/** The message of the channel: the same object at every event of an exchange. */
export interface CommandEvent {
  /** The client's method that caused it. */
  readonly operation: Operation
  /** memcached's command, as in `db.operation.name` without `BATCH`: the form in which ioredis and node-redis publish theirs. */
  readonly command: string
  /** Its keys, the first ten of more, with `?` in the place of a value or number. */
  readonly args: readonly string[]
  /** Keys of one retrieval, when there are two or more. */
  readonly batchSize?: number
  /** Host as configured, or the path of a Unix socket. */
  readonly serverAddress: string
  /** undefined for a Unix socket. */
  readonly serverPort: number | undefined
  /** Complete at `asyncEnd`; `start` has those that are known before. */
  readonly attributes: CommandAttributes
  /** The error of the exchange; present at `error` and after. */
  readonly error?: unknown
}

// The same type twice: newer @types/node have the two parameters the other way round.
/** `tracing:memshim:command:start`, `:end`, `:asyncStart`, `:asyncEnd`, `:error`. */
export const commandChannel = tracingChannel<CommandEvent, CommandEvent>('memshim:command')

const KEYS_SHOWN = 10

/** One exchange with a server, published on the channel when it has subscribers. @throws as `Exchange.exchange` */
export function exchange<T>(
  server: Server,
  request: Request,
  operation: Operation,
  modes: ExchangeOptions & { readonly namespace?: Bytes | undefined },
  receiver: Receiver<T>,
): Promise<T> {
  if (!commandChannel.hasSubscribers) return server.exchange.exchange(request, modes, receiver)
  const event = describe(server, request, operation, modes.namespace)
  const { attributes } = event
  return published(server, event, () =>
    server.exchange.exchange(request, modes, {
      reply: (reply) => {
        addPeer(attributes, server)
        addRefusal(attributes, reply)
        return receiver.reply(reply)
      },
      failed: (error) => receiver.failed(error),
    }),
  )
}

/** A connection that is opened before anything is sent, as python-memcached does. @throws as `Exchange.connect` */
export function connect(server: Server, operation: Operation, options: ExchangeOptions): Promise<void> {
  if (!commandChannel.hasSubscribers) return server.exchange.connect(options)
  return published(server, connectEvent(server, operation), () => server.exchange.connect(options))
}

/** Publishes a connection that could not be opened before anything was sent. */
export function publishUnconnected(server: Server, operation: Operation, error: TransportError): void {
  if (!commandChannel.hasSubscribers) return
  published(server, connectEvent(server, operation), () => Promise.reject(error)).catch(() => undefined)
}

function connectEvent(server: Server, operation: Operation): CommandEvent {
  const command = 'connect'
  const attributes = { ...place(server), 'db.operation.name': command }
  return { operation, command, args: [], ...serverFields(server.address), attributes }
}

async function published<T>(server: Server, event: CommandEvent, work: () => Promise<T>): Promise<T> {
  const { attributes } = event
  // The value is kept out of the event, which would otherwise have it as `result`.
  let value!: T
  addPeer(attributes, server)
  await commandChannel.tracePromise(async () => {
    try {
      value = await work()
    } catch (error) {
      addError(attributes, error)
      throw error
    }
  }, event)
  return value
}

function describe(
  server: Server,
  request: Request,
  operation: Operation,
  namespace: Bytes | undefined,
): CommandEvent {
  const command = commandOf(request)
  const keys = request.kind === 'retrieval' ? request.keys : 'key' in request ? [request.key] : []
  const batchSize = keys.length > 1 ? keys.length : undefined
  const args = keys.slice(0, KEYS_SHOWN).map(text)
  if (keys.length > KEYS_SHOWN) args.push('…')
  const { kind } = request
  if (kind === 'store' || kind === 'arithmetic' || kind === 'touch') args.push('?')
  const attributes: CommandAttributes = {
    ...place(server),
    'db.operation.name': batchSize ? `BATCH ${command}` : command,
    'db.query.text': [command, ...args].join(' '),
    ...(batchSize ? { 'db.operation.batch.size': batchSize } : {}),
    ...(namespace ? { 'db.namespace': text(namespace) } : {}),
  }
  const batch = batchSize ? { batchSize } : {}
  return { operation, command, args, ...batch, ...serverFields(server.address), attributes }
}

function place({ address }: Server) {
  const { serverAddress, serverPort } = serverFields(address)
  const system = { 'db.system.name': 'memcached', 'server.address': serverAddress } as const
  return serverPort === undefined ? system : { ...system, 'server.port': serverPort }
}

function commandOf(request: Request): string {
  if (request.kind === 'config') return 'config get'
  return 'verb' in request ? request.verb : request.kind
}

function addPeer(attributes: CommandAttributes, { exchange: { peer } }: Server): void {
  if (!peer) return
  attributes['network.peer.address'] = peer.address
  attributes['network.peer.port'] = peer.port
}

/** Also for outcomes that the caller sees as `false` or a miss: only the event shows that a server refuses gets. */
function addRefusal(attributes: CommandAttributes, reply: Reply): void {
  const line: LineReply = reply.type === 'line' ? reply : reply.end
  if (isRefusal(line)) attributes['db.response.status_code'] = String(replyCode(line))
}

function addError(attributes: CommandAttributes, error: unknown): void {
  attributes['error.type'] = errorType(error)
  if (error instanceof MemcachedError && error.code !== undefined)
    attributes['db.response.status_code'] = String(error.code)
}

function errorType(error: unknown): string {
  const transport = error instanceof MemcachedError ? error.cause : error
  const classless = error instanceof TransportError || (error as Error)?.name === 'MemcachedError'
  if (classless && transport instanceof TransportError) return transport.kind
  return error instanceof Error ? error.name : typeof error
}

const text = (bytes: Bytes): string => Buffer.from(bytes, 'latin1').toString()
