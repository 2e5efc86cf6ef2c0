/**
 * The faults of a server, and their JSON form. Format: docs/formats.md, "Faults".
 */

import { shown } from '../ground/arguments.js'
import type { Bytes } from '../ground/bytes.js'
import { WrittenBytesError, writtenBytes } from '../ground/written-bytes.js'

interface OfServer {
  /** Index of the server; a single `EmbeddedServer` or `FaultProxy` ignores it. */
  readonly server: number
}

interface Counted extends OfServer {
  /** The number of requests that the fault applies to; -1 = all requests until the fault `up`. Default 1. */
  readonly count?: number
}

/** How a connection ends instead of a reply or after it. */
export type Ending = 'close' | 'reset' | 'stall'

/** The faults that take effect at once. */
export type ServerFault =
  | (OfServer & { readonly fault: 'down' | 'up' })
  | (OfServer & { readonly fault: 'cut'; readonly then?: 'close' | 'reset' })

/** The faults that apply to the next requests. */
export type RequestFault =
  | (Counted & { readonly fault: 'close' | 'reset' })
  | (Counted & {
      readonly fault: 'stall'
      /** Whether later requests on the connection are answered. No real server answers them, but some recordings need it. Default false. */
      readonly later?: 'answered'
    })
  | (Counted & { readonly fault: 'reply'; readonly bytes: Bytes })
  | (Counted & { readonly fault: 'truncate'; readonly bytes: number; readonly then?: Ending })
  | (Counted & { readonly fault: 'slow'; readonly ms: number })
  | (Counted & { readonly fault: 'unread'; readonly then?: 'stall' | 'reset' })

/** A fault of docs/formats.md: of the server, or of one request. */
export type Fault = ServerFault | RequestFault

const endings = ['close', 'reset', 'stall'] as const satisfies readonly Ending[]
const cuts = ['close', 'reset'] as const
const unreads = ['stall', 'reset'] as const
const kinds: readonly string[] = ['down', 'up', 'cut', ...endings, 'reply', 'truncate', 'slow', 'unread']
/** The longest pause between two bytes of a slow reply, and the longest reply of a script. Larger values are refused as typing errors. */
const longestPause = 3_600_000
const longestReply = 2 ** 26

/** A fault is invalid. The message names the field. */
export class FaultError extends Error {
  override readonly name = 'FaultError'
  constructor(
    readonly field: string,
    readonly problem: string,
  ) {
    super(`field "${field}" ${problem}`)
  }
}

/**
 * Reads a fault from parsed JSON. Unknown fields are ignored.
 * @throws FaultError that names the field
 */
export function parseFault(json: object): Fault {
  if (typeof json !== 'object' || json === null)
    throw new FaultError('fault', `is ${shown(json)}, not an object`)
  const fields = json as Readonly<Record<string, unknown>>
  const { fault } = fields
  if (typeof fault !== 'string' || !kinds.includes(fault)) {
    throw new FaultError('fault', `is ${shown(fault)}, not one of ${kinds.join(', ')}`)
  }
  const server = integer(fields, 'server', 0, Number.MAX_SAFE_INTEGER)
  if (fault === 'down' || fault === 'up') return { fault, server }
  if (fault === 'cut')
    return fields.then === undefined ? { fault, server } : { fault, server, ...ending(fields, cuts, 'close') }
  const base = { server, ...(fields.count === undefined ? {} : { count: count(fields) }) }
  switch (fault) {
    case 'reply':
      return { fault, ...base, bytes: bytes(fields.bytes) }
    case 'truncate': {
      const bytes = integer(fields, 'bytes', 0, longestReply)
      return { fault, ...base, bytes, ...ending(fields, endings, 'close') }
    }
    case 'unread':
      return { fault, ...base, ...ending(fields, unreads, 'stall') }
    case 'slow': {
      const { ms } = fields
      if (typeof ms !== 'number' || !(ms >= 0 && ms <= longestPause)) {
        throw new FaultError('ms', `is ${shown(ms)}, not milliseconds from 0 to ${longestPause}`)
      }
      return { fault, ...base, ms }
    }
    case 'stall':
      return { fault, ...base, ...(fields.later === 'answered' ? { later: 'answered' } : {}) }
    default:
      return { fault: fault as 'close' | 'reset', ...base }
  }
}

export function isServerFault(fault: Fault): fault is ServerFault {
  return fault.fault === 'down' || fault.fault === 'up' || fault.fault === 'cut'
}

function ending<T extends Ending>(
  { then }: Readonly<Record<string, unknown>>,
  allowed: readonly T[],
  missing: T,
): { readonly then: T } {
  const known = allowed.find((one) => one === (then ?? missing))
  if (known === undefined) throw new FaultError('then', `is ${shown(then)}, not one of ${allowed.join(', ')}`)
  return Object.fromEntries([['then', known]]) as { readonly then: T }
}

function integer(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  least: number,
  most: number,
): number {
  const value = fields[name]
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw new FaultError(
    name,
    value === undefined ? 'is missing' : `is ${shown(value)}, not a whole number from ${least} to ${most}`,
  )
}

function count(fields: Readonly<Record<string, unknown>>): number {
  const { count: value } = fields
  if (value === -1 || (Number.isSafeInteger(value) && (value as number) > 0)) return value as number
  throw new FaultError('count', `is ${shown(value)}, neither a number of requests from 1 nor -1`)
}

function bytes(value: unknown): Bytes {
  try {
    return writtenBytes(value, longestReply)
  } catch (error) {
    throw error instanceof WrittenBytesError ? new FaultError('bytes', error.problem) : error
  }
}
