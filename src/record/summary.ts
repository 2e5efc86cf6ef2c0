/** The content of a recording, and the limits of its source. */
import { type CaptureKind, captureBlindness } from '../capture/index.js'
import type { Look } from './looks.js'
import type { Recording } from './recording.js'
import type { OrderFound } from './server-order.js'
import type { RecordSettings } from './settings.js'

export interface RecordSummary {
  readonly format: 'memshim-recording-summary/1'
  readonly source: CaptureKind
  /** Trace files, the oldest first; `deletedFiles` were deleted because of the limit. */
  readonly files: readonly string[]
  readonly deletedFiles: number
  /** Commands that were seen, and those that were written. */
  readonly commands: number
  readonly written: number
  /** Commands without a sampled key. */
  readonly leftOut: number
  readonly clients: number
  readonly servers: readonly string[]
  /** Unix time of the first and the last command that was written, and seconds between them. */
  readonly first: string | undefined
  readonly last: string | undefined
  readonly seconds: number
  /** Commands whose form only one library has. */
  readonly looks: Readonly<Record<Look, number>>
  readonly library: { readonly name: string; readonly version: string; readonly guessed: boolean }
  /** Present only if the settings did not name the servers. */
  readonly order?: OrderFound
  /** Losses of the source, by name; those of zero are left out. */
  readonly losses: Readonly<Record<string, number>>
  /** Facts that this source can never show. */
  readonly blind: readonly string[]
}

export function summaryOf(
  recording: Recording,
  source: CaptureKind,
  settings: RecordSettings,
  losses: Readonly<Record<string, number>>,
): RecordSummary {
  const { counts, files, span, looks, servers } = recording
  const library = settings.library ?? looks.library ?? { name: 'python-memcached', version: '1.59' }
  const order = settings.servers ? undefined : recording.orderFound()
  const all = {
    ...losses,
    'connections begun again after a loss': counts.restarts,
    'bytes passed over until a command began': counts.passedBytes,
    'bytes of servers that answer no command': counts.strayBytes,
    'commands without a known reply': counts.unknownReplies,
    'connections of watch or metadump, left out': counts.endless,
    'values too long to keep, replaced by others of their length': counts.standIns,
  }
  return {
    format: 'memshim-recording-summary/1',
    source,
    files: files.paths,
    deletedFiles: files.deleted,
    commands: counts.exchanges,
    written: counts.written,
    leftOut: counts.leftOut,
    clients: recording.clientCount,
    servers,
    first: span && new Date(span.first * 1000).toISOString(),
    last: span && new Date(span.last * 1000).toISOString(),
    seconds: span ? span.last - span.first : 0,
    looks: looks.counts,
    library: { ...library, guessed: settings.library === undefined },
    ...(order ? { order } : {}),
    losses: Object.fromEntries(Object.entries(all).filter(([, count]) => count > 0)),
    blind: captureBlindness[source],
  }
}
