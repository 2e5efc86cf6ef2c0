/** Options of a migrating client and of its stores, and the checks of its constructor. */
import { shown } from '../ground/arguments.js'
import { checkTimeout } from '../pipeline/methods/arguments.js'
import { ownOptions } from '../python/options.js'
import { checkPhase, type Phase } from './phases.js'
import type { MigrationClient } from './placement-client.js'

/** Both sides of a migration, and its phase. */
export interface MigratingClientOptions {
  /** Default `old`. */
  readonly phase?: Phase | undefined
  /** Expiry time in seconds of a copied item when the server does not report the remaining time. Default 300. */
  readonly copyTime?: number | undefined
  /** The largest number of keys that are remembered because their copy in the other placement may be stale. Default 10,000. */
  readonly maxUnsettled?: number | undefined
  /** Milliseconds for a whole call over both placements. Default: the longer one of the clients' own timeouts. */
  readonly timeout?: number | undefined
}

/** Options of a store during a migration; times in seconds. */
export interface SetOptions {
  /** Seconds, 0 = for ever. */
  readonly time?: number | undefined
}

const optionNames = Object.keys({
  phase: true,
  copyTime: true,
  maxUnsettled: true,
  timeout: true,
} satisfies Record<keyof MigratingClientOptions, true>)
/** Seconds: about thirty years. */
const LONGEST_COPY_TIME = 1e9
/** The limit of a Map. */
const MOST_UNSETTLED = 2 ** 24

/** The options with their defaults. @throws as the constructor of MigratingClient */
export function checkedOptions(options: MigratingClientOptions) {
  ownOptions(options, optionNames)
  const { timeout } = options
  const phase = checkPhase(options.phase ?? 'old')
  const copyTime = wholeNumber('copyTime', options.copyTime ?? 300, LONGEST_COPY_TIME)
  const maxUnsettled = wholeNumber('maxUnsettled', options.maxUnsettled ?? 10_000, MOST_UNSETTLED)
  if (timeout !== undefined) checkTimeout(timeout)
  return { phase, copyTime, maxUnsettled, timeout }
}

/** @throws TypeError for a value that is not a client */
export function checkClient(name: 'old' | 'new', client: unknown): MigrationClient {
  const asked = client as Partial<Record<'get' | 'set' | 'disconnectAll', unknown>> | null | undefined
  if (
    typeof asked?.get === 'function' &&
    typeof asked.set === 'function' &&
    typeof asked.disconnectAll === 'function'
  )
    return client as MigrationClient
  throw new TypeError(`${name} is ${shown(client)}, not a client of memshim/strict or memshim/compat`)
}

function wholeNumber(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value
  throw new RangeError(`${name} is ${shown(value)}, not a whole number from 0 to ${most}`)
}
