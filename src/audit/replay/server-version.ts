/**
 * The version of memcached of an audit's embedded servers, and the calls with other outcomes on other versions.
 * Facts: docs/reference/servers.md#1.
 */
import { newestVersion, serverFacts } from '../../server/index.js'
import type { TypedJson } from '../../values/index.js'
import type { AuditedOperation } from '../compare/differ.js'
import { AuditOptionsError } from '../options.js'
import type { TraceHeader } from '../traces/trace.js'

/** @throws AuditOptionsError when it is not a version of memcached */
export function serverVersion(given: string | undefined, header: TraceHeader): string {
  const version = given ?? header.server_version ?? newestVersion
  try {
    return serverFacts(version).version
  } catch (error) {
    throw new AuditOptionsError(`serverVersion: ${(error as Error).message}`)
  }
}

/** The note for a call whose outcome depends on the version of memcached; undefined if it does not. */
export function versionNote(
  operation: AuditedOperation,
  header: TraceHeader,
  version: string,
): string | undefined {
  const { call, args, kwargs } = operation
  const replayed = `replayed as on memcached ${version}; --server-version chooses another`
  const time = number(kwargs.time ?? args[1])
  if (header.library === 'python-memcached' && time !== undefined && time !== 0) {
    // From 1.60 on the second argument of delete is noreply.
    const isTime = call === 'delete_multi' || 'time' in kwargs || Number(header.version.split('.')[1]) < 60
    if ((call === 'delete' || call === 'delete_multi') && isTime)
      return `${call} with a time: memcached up to 1.6.39 refuses it and keeps the item, later versions delete it (${replayed})`
  }
  if (call === 'touch' && time !== undefined && (time | 0) !== time)
    return `touch with a time outside of 32 bits: memcached up to 1.6.44 takes its lower half, later versions refuse it (${replayed})`
  return undefined
}

function number(value: TypedJson | undefined): number | undefined {
  if (typeof value === 'number') return value
  const long = typeof value === 'object' && value !== null && '$int' in value ? value.$int : undefined
  return typeof long === 'string' ? Number(long) : undefined
}
