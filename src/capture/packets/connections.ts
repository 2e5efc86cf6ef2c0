/** Sorts segments into connections, finds the end of the server, and passes both directions on in order. */
import type { Endpoint, Segment } from './frames.js'
import { TcpStream } from './tcp-stream.js'

/** Receives the bytes of one connection of the capture. */
export interface ConversationSink {
  request(bytes: Buffer, time: number): void
  /** @param current the server had received every request byte that is known; false only from a capture. Default true */
  reply(bytes: Buffer, time: number, current?: boolean): void
  /** Bytes are missing in a direction. */
  gap(direction: 'request' | 'reply', length: number, time: number): void
  /** @param how default: the connection was closed */
  end(time: number, how?: ConnectionEnd): void
}

/** `cut`: the capture knows nothing of the rest; `one-sided`: it has no packet of the server at all. */
export type ConnectionEnd = 'closed' | 'cut' | 'one-sided'

export interface ConnectionOptions {
  /** Whether an endpoint is one of the servers. */
  readonly isServer: (endpoint: Endpoint) => boolean
  /** @param whole the connection began in the capture */
  readonly open: (client: Endpoint, server: Endpoint, whole: boolean) => ConversationSink
}

/** The largest number of connections that are followed; the oldest is dropped. */
const mostConnections = 100_000
/** Seconds for which a segment waits for the bytes that it acknowledges: one of two taps or cards may deliver late. */
const longestHeld = 0.5
/** Segments of a connection that wait. */
const mostHeld = 256
/** The number of closed connections that are remembered, and for how many seconds: their packets may be in the capture twice. */
const mostClosed = 10_000
const longestClosed = 120
/** A jump of more than this is another connection's number. */
const longestJump = 2 ** 30

interface Connection {
  readonly sink: ConversationSink
  readonly requests: TcpStream
  readonly replies: TcpStream
  /** Initial sequence number of a SYN, to distinguish a repeated SYN from a new connection. */
  began: number | undefined
  /** Segments that acknowledge bytes which have not arrived yet, in the order of the capture. */
  held: Held[]
}

/** The state of a closed connection. */
interface Closed {
  readonly time: number
  readonly requests: number | undefined
  readonly replies: number | undefined
}

interface Held {
  readonly segment: Segment
  readonly towardsServer: boolean
}

export class Connections {
  private readonly open = new Map<string, Connection>()
  private readonly closed = new Map<string, Closed>()
  readonly counts = { connections: 0, whole: 0, gaps: 0, lostBytes: 0, otherSegments: 0, forgotten: 0 }

  constructor(private readonly options: ConnectionOptions) {}

  segment(segment: Segment): void {
    const towardsServer = this.towardsServer(segment)
    if (towardsServer === undefined) {
      this.counts.otherSegments++
      return
    }
    const [client, server] = towardsServer ? [segment.from, segment.to] : [segment.to, segment.from]
    const name = `${client.address} ${client.port} ${server.address} ${server.port}`
    const found = this.known(name, segment, towardsServer)
    if (!found && this.isRepeated(name, segment, towardsServer)) return
    const connection = found ?? this.begin(name, client, server, segment, towardsServer)
    if (connection === undefined) return
    const { held } = connection
    // No bytes follow a reset, and a segment that waited long enough will not be completed.
    while (
      held.length > 0 &&
      (segment.reset || held.length > mostHeld || segment.time - held[0]!.segment.time > longestHeld)
    )
      this.take(name, connection, held.shift()!)
    const own = { segment, towardsServer }
    if (waits(connection, own)) {
      held.push(own)
      return
    }
    this.take(name, connection, own)
    this.release(name, connection)
  }

  /** Processes the waiting segments whose acknowledged bytes have arrived. */
  private release(name: string, connection: Connection): void {
    for (;;) {
      const next = connection.held.findIndex((one) => !waits(connection, one))
      if (next < 0) return
      this.take(name, connection, connection.held.splice(next, 1)[0]!)
    }
  }

  private take(name: string, connection: Connection, { segment, towardsServer }: Held): void {
    const { time, payload, missing, acknowledged } = segment
    const [own, other] = streamsOf(connection, towardsServer)
    if (segment.syn) {
      // A repeated SYN does not start a new connection.
      if (own.expected === undefined) own.start(segment.sequence + 1)
    }
    // A bare acknowledgement may have been captured just before the bytes that it acknowledges.
    else if (acknowledged !== undefined && (payload.length > 0 || segment.last || other.incomplete)) {
      // Bytes that this side sent before it had the lost bytes cannot be paired, although they may still arrive out of order.
      if (other.acknowledged(acknowledged, time)) own.acknowledged(segment.sequence, time)
    }
    const { expected } = other
    const current =
      acknowledged === undefined || expected === undefined || ((expected - acknowledged) | 0) <= 0
    own.segment(segment.syn ? segment.sequence + 1 : segment.sequence, payload, missing, time, current)
    if (segment.last) own.lastNumber(segment.sequence + payload.length + missing)
    if (segment.reset || segment.last) this.finish(name, connection, segment, towardsServer)
  }

  /** The capture is over. */
  end(time: number): void {
    for (const [name, connection] of this.open) this.close(name, connection, time, 'cut')
  }

  /** A packet of a connection that is over. */
  private isRepeated(name: string, segment: Segment, towardsServer: boolean): boolean {
    const closed = this.closed.get(name)
    const expected = towardsServer ? closed?.requests : closed?.replies
    if (closed === undefined || expected === undefined || segment.time - closed.time > longestClosed)
      return false
    const behind = (expected - (segment.sequence + segment.payload.length + segment.missing)) | 0
    return behind >= 0 && behind < longestJump
  }

  private known(name: string, segment: Segment, towardsServer: boolean): Connection | undefined {
    const connection = this.open.get(name)
    if (connection === undefined) return undefined
    // The port of the client is used again.
    if (!segment.syn || !towardsServer) return connection
    // Its answer arrived before it.
    if (connection.began === undefined && connection.requests.expected === (segment.sequence + 1) >>> 0)
      connection.began = segment.sequence
    const another = connection.began !== segment.sequence
    if (another) this.close(name, connection, segment.time, 'cut')
    return another ? undefined : connection
  }

  private begin(
    name: string,
    client: Endpoint,
    server: Endpoint,
    segment: Segment,
    towardsServer: boolean,
  ): Connection | undefined {
    const empty = segment.payload.length + segment.missing === 0
    if (!segment.syn && (empty || segment.reset)) return undefined
    if (this.open.size >= mostConnections) {
      const [oldest, connection] = this.open.entries().next().value!
      this.counts.forgotten++
      this.close(oldest, connection, segment.time, 'cut')
    }
    const sink = this.options.open(client, server, segment.syn)
    this.counts.connections++
    if (segment.syn) this.counts.whole++
    const stream = (direction: 'request' | 'reply') =>
      new TcpStream({
        data: (bytes, time, current) => sink[direction](bytes, time, current),
        gap: (length, time) => {
          this.counts.gaps++
          this.counts.lostBytes += length
          sink.gap(direction, length, time)
        },
      })
    const connection: Connection = {
      sink,
      requests: stream('request'),
      replies: stream('reply'),
      began: segment.syn && towardsServer ? segment.sequence : undefined,
      held: [],
    }
    if (segment.syn && !towardsServer && segment.acknowledged !== undefined)
      connection.requests.start(segment.acknowledged)
    this.open.set(name, connection)
    return connection
  }

  /** A FIN of the client ends requests only: replies may still come. */
  private finish(name: string, connection: Connection, segment: Segment, towardsServer: boolean): void {
    if (segment.reset || !towardsServer) this.close(name, connection, segment.time)
  }

  private close(name: string, connection: Connection, time: number, how: ConnectionEnd = 'closed'): void {
    if (!this.open.delete(name)) return
    for (const one of connection.held.splice(0)) this.take(name, connection, one)
    connection.requests.finish(time)
    connection.replies.finish(time)
    const { requests, replies } = connection
    connection.sink.end(time, replies.expected === undefined ? 'one-sided' : how)
    this.closed.set(name, { time, requests: requests.expected, replies: replies.expected })
    if (this.closed.size > mostClosed) this.closed.delete(this.closed.keys().next().value!)
  }

  private towardsServer({ from, to, syn, acknowledged }: Segment): boolean | undefined {
    const [fromServer, toServer] = [this.options.isServer(from), this.options.isServer(to)]
    if (fromServer !== toServer) return toServer
    if (!fromServer) return undefined
    // Both ports are servers' ports: the end that connects is the client.
    if (syn) return acknowledged === undefined
    const name = `${from.address} ${from.port} ${to.address} ${to.port}`
    return this.open.has(name)
  }
}

function streamsOf(
  { requests, replies }: Connection,
  towardsServer: boolean,
): readonly [own: TcpStream, other: TcpStream] {
  return towardsServer ? [requests, replies] : [replies, requests]
}

/** The segment acknowledges bytes of the other side that have not arrived yet. */
function waits(connection: Connection, { segment, towardsServer }: Held): boolean {
  const { acknowledged, payload, missing, last, syn } = segment
  const [, other] = streamsOf(connection, towardsServer)
  if (syn || acknowledged === undefined || other.expected === undefined) return false
  const ahead = (acknowledged - other.expected) | 0
  return ahead > 0 && ahead < longestJump && (payload.length + missing > 0 || last || other.incomplete)
}
