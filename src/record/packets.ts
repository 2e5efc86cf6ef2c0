/** Records from captured packets: files, or a pipe of tcpdump. */
import { lookup } from 'node:dns/promises'
import { pipeline, Readable } from 'node:stream'
import { constants, createGunzip } from 'node:zlib'
import { Connections, type Endpoint, PacketFile, segmentOf, type Unread } from '../capture/index.js'
import { checkArray, checkObject, shown } from '../ground/arguments.js'
import { parseServers } from '../strict/index.js'
import { Recording } from './recording.js'
import { checkSettings, RecordError, type RecordSettings } from './settings.js'
import { type RecordSummary, summaryOf } from './summary.js'

/** One capture. */
export interface PacketInput {
  /** For messages. */
  readonly name: string
  /** pcap or pcapng, plain or gzip. */
  readonly stream: Readable
}

export interface PacketSettings extends RecordSettings {
  /** Ports of servers, when `servers` does not name them. Default: 11211. */
  readonly ports?: readonly number[]
  /** Called after every chunk of a capture. */
  readonly onProgress?: (commands: number) => void
}

const defaultPort = 11211
/** Seconds by which a capture may begin before the end of the one before it. */
const overlap = 1

/**
 * Writes a wire trace of the commands in the captures, which are read one after the other.
 * @throws TypeError for inputs that are no streams; RecordError for settings and files, and for captures that are not in the order of their times; CaptureError for a file that is not a capture or is damaged (the commands before the damage are written; without a command no file is left)
 */
export async function recordPackets(
  inputs: readonly PacketInput[],
  settings: PacketSettings,
): Promise<RecordSummary> {
  checkSettings(settings, ['ports', 'onProgress'])
  checkArray('inputs', inputs)
  for (const [index, input] of inputs.entries()) {
    checkObject(`inputs[${index}]`, input)
    if (!(input.stream instanceof Readable))
      throw new TypeError(`inputs[${index}].stream is ${shown(input.stream)}, not a Readable`)
    // A file that cannot be opened says so before its turn; its reading then gives the error again.
    input.stream.on('error', () => undefined)
  }
  const recording = new Recording(settings, 'packets')
  await recording.files.check()
  const naming = await serverNaming(settings)
  const unread: Record<Unread, number> = { 'link type': 0, 'not TCP': 0, fragment: 0, damaged: 0 }
  const counts = { packets: 0, cutPackets: 0, cutFiles: 0 }
  const connections = new Connections({
    isServer: (endpoint) => naming(endpoint) !== undefined,
    open: (client, server, whole) => recording.conversation(client, naming(server)!, whole),
  })
  let now = 0
  let failure: unknown
  try {
    for (const { name, stream } of inputs) {
      let isFirst = true
      const file = new PacketFile(name, (packet) => {
        if (isFirst && packet.time < now - overlap)
          throw new RecordError(
            `${name} begins ${(now - packet.time).toFixed(1)} s before the end of the capture before it: give the captures in the order of their times, or merge them first (mergecap -w all.pcapng ${inputs.map((input) => input.name).join(' ')})`,
          )
        isFirst = false
        counts.packets++
        if (packet.data.length < packet.length) counts.cutPackets++
        const segment = segmentOf(packet)
        if (typeof segment === 'string') {
          unread[segment]++
          return
        }
        now = Math.max(now, segment.time)
        connections.segment(segment)
      })
      for await (const chunk of unzipped(stream, settings.signal)) {
        file.push(chunk)
        await recording.write(now)
        settings.onProgress?.(recording.counts.exchanges)
      }
      if (!settings.signal?.aborted || counts.packets === 0) counts.cutFiles += file.end() > 0 ? 1 : 0
    }
  } catch (error) {
    failure = error
  }
  connections.end(now)
  await recording.end()
  if (failure !== undefined) {
    // A trace without a command would have to be deleted before the next attempt.
    if (recording.counts.written === 0) await recording.files.discard()
    throw failure
  }
  const { gaps, lostBytes, forgotten } = connections.counts
  return summaryOf(recording, 'packets', settings, {
    'packets cut by the capture (use tcpdump -s 0)': counts.cutPackets,
    'captures whose end is cut': counts.cutFiles,
    'packets of an unknown link type': unread['link type'],
    'fragments of IP packets': unread.fragment,
    'damaged packets': unread.damaged,
    // Other traffic is normal; without a command it may be traffic in a tunnel.
    'packets that are not TCP over IP': recording.counts.exchanges === 0 ? unread['not TCP'] : 0,
    'gaps in connections': gaps,
    'bytes lost in gaps': lostBytes,
    'connections given up because of too many': forgotten,
  })
}

/** Chunks, inflated if the first two bytes are those of gzip. A gzip stream without its end is read as far as it goes. */
async function* unzipped(stream: Readable, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
  let source: AsyncIterable<Buffer> = stream
  const stop = () => stream.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const iterator = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const first = await iterator.next()
    if (first.done) return
    const rest = (async function* () {
      yield first.value
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value
    })()
    if (first.value[0] === 0x1f && first.value[1] === 0x8b)
      source = pipeline(rest, createGunzip({ finishFlush: constants.Z_SYNC_FLUSH }), () => undefined)
    else source = rest
    for await (const chunk of source) yield chunk
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** The name of an endpoint in the trace; undefined when it is not a server. @throws RecordError */
async function serverNaming({
  servers,
  ports = [defaultPort],
}: PacketSettings): Promise<(endpoint: Endpoint) => string | undefined> {
  if (servers === undefined) {
    const known = new Set(ports)
    return ({ address, port }) =>
      known.has(port) ? (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`) : undefined
  }
  const names = new Map<string, string>()
  const parsed = parsedServers(servers)
  for (const [i, { address }] of parsed.entries()) {
    if (address.transport === 'unix')
      throw new RecordError(`servers: ${servers[i]} is a Unix socket, which no packets pass; use the proxy`)
    const found = await lookup(address.host, { all: true }).catch((error: NodeJS.ErrnoException) => {
      throw new RecordError(`servers: ${servers[i]} cannot be resolved (${error.code}): name its IP address`)
    })
    for (const { address: ip } of found) names.set(`${ip} ${address.port}`, servers[i]!)
  }
  return ({ address, port }) => names.get(`${address} ${port}`)
}

function parsedServers(servers: readonly string[]) {
  try {
    return parseServers(servers)
  } catch (error) {
    throw new RecordError(`servers: ${error instanceof Error ? error.message : String(error)}`)
  }
}
