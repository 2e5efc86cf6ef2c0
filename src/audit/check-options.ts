/** The options of an audit are checked before the replay, so that a mistake names the option. */
import { shown } from '../ground/arguments.js'
import { unknownOption } from '../python/options.js'
import { knownPresets } from './columns.js'
import { construct } from './methods/constructor/construct.js'
import type { Library } from './methods/python-signatures.js'
import { type AuditOptions, AuditOptionsError } from './options.js'
import type { Trace } from './traces/trace.js'

/** An hour, in milliseconds. */
const longestLongestWait = 3_600_000

const optionNames: readonly (keyof AuditOptions)[] = [
  'preset', 'to', 'from', 'embedded', 'serverVersion', 'servers', 'behaviors', 'framework', 'targetOptions', 'negativeTimeout', 'verify',
  'longestWait', 'binary', 'calls', 'outages', 'threads', 'sample', 'onOperation', 'onProgress', 'signal',
] // biome-ignore format: one list

/** @throws AuditOptionsError that names the option and its allowed values */
export function checkOptions(options: AuditOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new AuditOptionsError('options must be an object')
  const unknown = unknownOption(options, optionNames)
  if (unknown !== undefined) throw new AuditOptionsError(unknown)
  const { preset, servers, negativeTimeout, longestWait, onProgress, verify, framework } = options
  const presets = knownPresets()
  if (preset !== undefined && !presets.includes(preset))
    throw new AuditOptionsError(`preset ${shown(preset)} is not one of ${presets.join(', ')}`)
  if (servers !== undefined && !(Array.isArray(servers) && servers.every((one) => typeof one === 'string')))
    throw new AuditOptionsError('servers is not a list of "host:port"')
  if (negativeTimeout !== undefined && negativeTimeout !== 'zero' && negativeTimeout !== 'send')
    throw new AuditOptionsError(`negativeTimeout ${shown(negativeTimeout)} is not one of zero, send`)
  if (
    longestWait !== undefined &&
    !(typeof longestWait === 'number' && longestWait > 0 && longestWait <= longestLongestWait)
  )
    throw new AuditOptionsError(
      `longestWait ${shown(longestWait)} is not a number of milliseconds above 0, at most ${longestLongestWait}`,
    )
  if (framework !== undefined && typeof framework !== 'string')
    throw new AuditOptionsError(`framework ${shown(framework)} is not a name`)
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw new AuditOptionsError('onProgress is not a function')
  const { threads, sample } = options
  if (sample !== undefined && !(typeof sample === 'number' && sample > 0 && sample < 1))
    throw new AuditOptionsError(`sample ${shown(sample)} is not a part of the keys above 0 and below 1`)
  if (threads !== undefined && threads !== 1 && threads !== 2)
    throw new AuditOptionsError(`threads ${shown(threads)} is neither 1 nor 2`)
  if (verify !== undefined && typeof verify !== 'boolean')
    throw new AuditOptionsError('verify is not a boolean')
}

/** @throws AuditOptionsError for options that are about neither of the two libraries */
export function checkFitting(source: Library, target: Library, options: AuditOptions): void {
  const between = `the audit compares ${source.name}-${source.version} with ${target.name}-${target.version}`
  if (source.name !== 'pylibmc' && target.name !== 'pylibmc')
    for (const name of ['binary', 'behaviors', 'negativeTimeout'] as const)
      if (options[name] !== undefined && options[name] !== false)
        throw new AuditOptionsError(`${name} is for pylibmc, and ${between}`)
  if (options.calls === 'repaired' && source.name === target.name)
    throw new AuditOptionsError(`calls are repaired for another library, and ${between}`)
}

/** @throws AuditOptionsError for behaviors that pylibmc refuses */
export function checkBehaviors({ behaviors }: AuditOptions): void {
  try {
    construct('pylibmc', ['127.0.0.1:1'], { behaviors: { ...behaviors } })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const unknown = Object.entries(behaviors ?? {}).find(([, value]) => String(value) === why)
    // Python's KeyError says only the name that it did not find.
    throw new AuditOptionsError(
      unknown ? `behaviors: ${unknown[0]}=${why}: pylibmc has no such ${unknown[0]}` : `behaviors: ${why}`,
    )
  }
}

/** @returns the number of servers on each side @throws AuditOptionsError for servers that do not fit the trace */
export function fleetSize(trace: Trace, { embedded, servers }: AuditOptions): number {
  const needed = trace.header.servers
  if (servers) {
    if (embedded !== undefined) throw new AuditOptionsError('choose real servers or embedded ones, not both')
    if (servers.length !== needed * 2) {
      const list = needed === 1 ? '2 servers' : `${needed * 2} servers`
      throw new AuditOptionsError(
        `the trace used ${needed}: give ${list}, the first half for python-memcached's side and the second for pylibmc's (${servers.length} given)`,
      )
    }
    if (new Set(servers).size !== servers.length)
      throw new AuditOptionsError('every side needs servers of its own: one is given twice')
    return needed
  }
  if (embedded !== undefined && (!Number.isInteger(embedded) || embedded < 1 || embedded > 1000)) {
    throw new AuditOptionsError(`${shown(embedded)} embedded servers are not possible: 1 to 1000`)
  }
  return embedded ?? needed
}
