/** Records from memcached's own log: `watch fetchers mutations deletions`. */
import { watchEvent } from '../capture/index.js'
import { ByteQueue } from '../ground/byte-queue.js'
import { addressName, type ServerAddress } from '../transport/address.js'
import { checkConnecting } from '../transport/connection-options.js'
import { LineConnection } from '../transport/line-connection.js'
import type { Tls } from '../transport/socket.js'
import { Recording } from './recording.js'
import { checkSettings, RecordError, type RecordSettings } from './settings.js'
import { type RecordSummary, summaryOf } from './summary.js'

export interface WatchSettings extends RecordSettings {
  /** Servers to watch, with a connection to each. */
  readonly watched: readonly ServerAddress[]
  readonly tls?: Tls
  /** Milliseconds to wait for a connection and for the answer to `watch`. Default 5000. */
  readonly timeout?: number
}

/** The commands to try, the best first: `deletions` came with 1.6.20, `watch` itself with 1.4.26. */
const wishes = ['watch fetchers mutations deletions', 'watch fetchers mutations']
/** Bytes. Longer ones are passed over. */
const longestLine = 16 * 1024
/** Milliseconds between two checks for new lines. */
const pause = 20

/**
 * Watches until the signal ends it or every server has closed its connection.
 * @throws RecordError (rejection) for settings, files, and a server that cannot be watched; TransportError when one cannot be reached
 */
export async function recordWatch(settings: WatchSettings): Promise<RecordSummary> {
  checkSettings(settings, ['watched', 'tls', 'timeout'])
  checkConnecting(settings)
  const { watched, timeout = 5000, tls } = settings
  if (!Array.isArray(watched) || watched.length === 0)
    throw new RecordError('watched: name at least one server')
  const names = watched.map(addressName)
  const recording = new Recording({ ...settings, servers: settings.servers ?? names }, 'watch')
  await recording.files.check()
  const losses = { skipped: 0, unread: 0, longLines: 0, withoutDeletions: 0, ended: 0 }
  const connections: LineConnection[] = []
  try {
    for (const address of watched) {
      const connection = await LineConnection.open(address, { tls, timeout })
      connections.push(connection)
      if (!(await agreed(connection))) losses.withoutDeletions++
    }
    const stop = () => {
      for (const connection of connections) connection.close()
    }
    if (settings.signal?.aborted) stop()
    settings.signal?.addEventListener('abort', stop, { once: true })
    await Promise.all(
      connections.map(async (connection, index) => {
        await follow(connection, names[index]!, recording, losses)
        if (!settings.signal?.aborted) losses.ended++
      }),
    )
    settings.signal?.removeEventListener('abort', stop)
  } finally {
    for (const connection of connections) connection.close()
  }
  await recording.end()
  return summaryOf(recording, 'watch', settings, {
    'lines that the server skipped': losses.skipped,
    'lines other than reads, stores or deletes': losses.unread,
    'lines that are too long': losses.longLines,
    'servers that do not report deletes': losses.withoutDeletions,
    'servers that ended the watch': losses.ended,
  })
}

/** @returns whether deletes will be reported @throws RecordError */
async function agreed(connection: LineConnection): Promise<boolean> {
  let answer = ''
  for (const wish of wishes) {
    connection.send(`${wish}\r\n`)
    answer = await connection.line()
    if (answer === 'OK') return wish === wishes[0]
  }
  throw new RecordError(
    `${connection.server} answers ${JSON.stringify(answer)} to "watch": it needs memcached 1.4.26 or newer, not started with -o no_watch or -X; record packets or use the proxy instead`,
  )
}

type Losses = Record<'skipped' | 'unread' | 'longLines', number>

async function follow(
  connection: LineConnection,
  server: string,
  recording: Recording,
  losses: Losses,
): Promise<void> {
  const queue = new ByteQueue()
  const index = recording.serverIndex(server)
  for (;;) {
    let chunk: Buffer
    try {
      chunk = await connection.chunk(Number.POSITIVE_INFINITY)
    } catch {
      // The server or the signal has ended it: the received lines are recorded.
      return
    }
    queue.push(chunk)
    for (let end = queue.lineEnd(); end >= 0; end = queue.lineEnd()) {
      const event = watchEvent(
        queue
          .take(end + 1)
          .toString('latin1')
          .trimEnd(),
      )
      if (event === undefined) losses.unread++
      else if ('skipped' in event) losses.skipped += event.skipped
      else {
        recording.counts.exchanges++
        recording.add({
          exchange: event.exchange,
          client: `${server} connection ${event.connection}`,
          server: index,
        })
      }
    }
    if (queue.length > longestLine) {
      losses.longLines++
      queue.clear()
    }
    await recording.write(Number.POSITIVE_INFINITY)
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}
