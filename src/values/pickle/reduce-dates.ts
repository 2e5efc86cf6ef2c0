/** The datetime types in pickles: each is one string of bytes. Source: CPython's datetime module. */

import { type PyGlobal, PythonObject } from '../classes/built-ins.js'
import { PyDate, PyDateTime, PyTime, PyTimeDelta, PyTimeZone } from '../classes/dates.js'
import type { Construct, Reduction } from './reduction.js'

/** The state's bytes; Python 2 wrote them as a byte string, which may have been read as text. */
function stateBytes(value: unknown, length: number): Buffer | undefined {
  const bytes = typeof value === 'string' && value.length === length ? latin1(value) : value
  return Buffer.isBuffer(bytes) && bytes.length === length ? bytes : undefined
}

function latin1(text: string): Buffer | undefined {
  return /[^\0-\xff]/.test(text) ? undefined : Buffer.from(text, 'latin1')
}

/** Dates that do not exist stay inert objects. */
function valid<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

const date: Construct = ([state]) => {
  const bytes = stateBytes(state, 4)
  return bytes && valid(() => new PyDate(bytes.readUInt16BE(0), bytes[2]!, bytes[3]!))
}

const datetime: Construct = ([state, tzinfo = null]) => {
  const bytes = stateBytes(state, 10)
  if (!bytes) return undefined
  const [month, day, hour, minute, second] = bytes.subarray(2) as unknown as [
    number,
    number,
    number,
    number,
    number,
  ]
  // Protocols 4 and 5 hide `fold` in the month.
  const fold = month & 0x80 ? 1 : 0
  return valid(
    () =>
      new PyDateTime(
        bytes.readUInt16BE(0), month & 0x7f, day, hour, minute, second, bytes.readUIntBE(7, 3), tzinfo, fold,
      ),
  ) // biome-ignore format: the order of the bytes
}

const time: Construct = ([state, tzinfo = null]) => {
  const bytes = stateBytes(state, 6)
  if (!bytes) return undefined
  const fold = bytes[0]! & 0x80 ? 1 : 0
  return valid(() => new PyTime(bytes[0]! & 0x7f, bytes[1]!, bytes[2]!, bytes.readUIntBE(3, 3), tzinfo, fold))
}

const timedelta: Construct = ([days, seconds, microseconds]) =>
  typeof days === 'number' && typeof seconds === 'number' && typeof microseconds === 'number'
    ? valid(() => new PyTimeDelta(days, seconds, microseconds))
    : undefined

const timezone: Construct = ([offset, name]) => {
  if (!(offset instanceof PyTimeDelta)) return undefined
  if (name === undefined) return new PyTimeZone(offset)
  return typeof name === 'string' ? new PyTimeZone(offset, name) : undefined
}

function withZone(type: PyGlobal, state: Buffer, tzinfo: unknown): PythonObject {
  return new PythonObject(type, tzinfo === null ? [state] : [state, tzinfo], 'call')
}

export const dates: readonly Reduction[] = [
  {
    module: 'datetime',
    name: 'date',
    construct: date,
    type: PyDate,
    reduce({ year, month, day }: PyDate, type) {
      return new PythonObject(type, [Buffer.from([year >> 8, year & 0xff, month, day])], 'call')
    },
  },
  {
    module: 'datetime',
    name: 'datetime',
    construct: datetime,
    type: PyDateTime,
    reduce(value: PyDateTime, type, protocol) {
      const { year, month, day, hour, minute, second, microsecond, fold } = value
      const state = Buffer.from([year >> 8, year & 0xff, month, day, hour, minute, second, 0, 0, 0])
      state.writeUIntBE(microsecond, 7, 3)
      if (fold && protocol > 3) state[2]! |= 0x80
      return withZone(type, state, value.tzinfo)
    },
  },
  {
    module: 'datetime',
    name: 'time',
    construct: time,
    type: PyTime,
    reduce({ hour, minute, second, microsecond, tzinfo, fold }: PyTime, type, protocol) {
      const state = Buffer.from([hour, minute, second, 0, 0, 0])
      state.writeUIntBE(microsecond, 3, 3)
      if (fold && protocol > 3) state[0]! |= 0x80
      return withZone(type, state, tzinfo)
    },
  },
  {
    module: 'datetime',
    name: 'timedelta',
    construct: timedelta,
    type: PyTimeDelta,
    reduce({ days, seconds, microseconds }: PyTimeDelta, type) {
      return new PythonObject(type, [days, seconds, microseconds], 'call')
    },
  },
  {
    module: 'datetime',
    name: 'timezone',
    construct: timezone,
    type: PyTimeZone,
    reduce({ offset, zoneName }: PyTimeZone, type) {
      return new PythonObject(type, zoneName === undefined ? [offset] : [offset, zoneName], 'call')
    },
  },
]
