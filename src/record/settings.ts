/** The settings of a recording, and the error for a value that does not fit. */
import { shown } from '../ground/arguments.js'
import { unknownOption } from '../python/options.js'
import type { LibraryName } from '../rules/row.js'

/** Settings of a recording of any source (docs/tools/record.md). */
export interface RecordSettings {
  /** The first trace file; gzip when the name ends in `.gz`. Later parts are `name.2.jsonl`, …. Files have the mode 0600. */
  readonly out: string
  /** The application's servers in its own order, `host:port`. Default: in the order of their first appearance. */
  readonly servers?: readonly string[]
  /** The library that the applications use, for the trace's header. Default: guessed from the commands, pymemcache never. */
  readonly library?: { readonly name: LibraryName; readonly version: string }
  /** The name of the recorded program, for reports. */
  readonly about?: string
  /** Version of memcached, for the trace's header. */
  readonly serverVersion?: string
  /** Bytes of a file, before the next part begins. Default: no limit. */
  readonly maxBytes?: number
  /** Parts that are kept; the oldest are deleted. Default: all. */
  readonly files?: number
  /** The part of the keys that is recorded, above 0 and up to 1; a key is recorded always or never. Default 1. */
  readonly sample?: number
  /** Values are replaced by others of the same type and length. Default false. */
  readonly redact?: boolean
  /** Keys are replaced by hashes with this secret; the same secret gives the same hashes. Default: keys stay. */
  readonly hashKeys?: string
  /** Ends the recording. */
  readonly signal?: AbortSignal | undefined
}

/** A wrong setting of a recording. */
export class RecordError extends RangeError {
  override readonly name = 'RecordError'
}

const settingNames: readonly (keyof RecordSettings)[] = [
  'out', 'servers', 'library', 'about', 'serverVersion', 'maxBytes', 'files', 'sample', 'redact', 'hashKeys', 'signal',
] // biome-ignore format: one list

/**
 * @param further settings of the source, besides those of every recording
 * @throws RecordError that names the setting and its allowed values
 */
export function checkSettings(settings: RecordSettings, further: readonly string[]): void {
  if (typeof settings !== 'object' || settings === null) throw new RecordError('settings must be an object')
  const unknown = unknownOption(settings, [...settingNames, ...further])
  if (unknown !== undefined) throw new RecordError(unknown)
  const { out, sample, maxBytes, files, library, hashKeys, servers } = settings
  if (typeof out !== 'string' || out === '') throw new RecordError(`out ${shown(out)} is not a file name`)
  if (sample !== undefined && !(typeof sample === 'number' && sample > 0 && sample <= 1))
    throw new RecordError(`sample ${shown(sample)} is not a part from above 0 to 1`)
  if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes >= leastBytes))
    throw new RecordError(`maxBytes ${shown(maxBytes)} is not a number of bytes from ${leastBytes}`)
  if (files !== undefined && !(Number.isSafeInteger(files) && files >= 1))
    throw new RecordError(`files ${shown(files)} is not a number from 1`)
  if (files !== undefined && maxBytes === undefined)
    throw new RecordError('files needs maxBytes: without a limit there is one file')
  if (library !== undefined && !libraries.includes(library.name))
    throw new RecordError(`library ${shown(library.name)} is not one of ${libraries.join(', ')}`)
  if (hashKeys !== undefined && (typeof hashKeys !== 'string' || hashKeys.length < shortestSecret))
    throw new RecordError(`hashKeys is a secret of at least ${shortestSecret} characters`)
  if (
    servers !== undefined &&
    (!Array.isArray(servers) || servers.length === 0 || servers.length > mostServers)
  )
    throw new RecordError(`servers is a list of 1 to ${mostServers} servers`)
}

const libraries: readonly LibraryName[] = ['python-memcached', 'pylibmc', 'pymemcache']
const leastBytes = 64 * 1024
const shortestSecret = 8
const mostServers = 1000
