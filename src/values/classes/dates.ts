/**
 * Python's datetime family. A `Date` would lose microseconds, missing time zones and `fold`, so these keep what Python
 * keeps; `toDate` converts to a `Date`. Source: CPython's datetime module.
 */

import { shown } from '../../ground/arguments.js'
import { brandAll } from '../../ground/brand.js'
import { DESCRIBE, type Description } from '../describe.js'
import { PythonObject } from './built-ins.js'
import { PythonValue } from './python-value.js'
import { namedOffset, zoneOf } from './time-zones.js'

const pad = (value: number, width = 2) => String(value).padStart(width, '0')
const MAX_DAYS = 999_999_999

/** Days of a month in the proleptic Gregorian calendar. */
function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function within(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new RangeError(`${name} must be a whole number from ${min} to ${max}, not ${shown(value)}`)
}

/** `datetime.timedelta`, normalised as Python does: only `days` is ever negative. */
export class PyTimeDelta extends PythonValue {
  /** @param days −999,999,999 … 999,999,999 @param seconds 0 … 86,399 @param microseconds 0 … 999,999 @throws RangeError */
  constructor(
    readonly days: number,
    readonly seconds = 0,
    readonly microseconds = 0,
  ) {
    super()
    within('days', days, -MAX_DAYS, MAX_DAYS)
    within('seconds', seconds, 0, 86_399)
    within('microseconds', microseconds, 0, 999_999)
  }
  /** In milliseconds, with a fraction. */
  get milliseconds(): number {
    return this.days * 86_400_000 + this.seconds * 1000 + this.microseconds / 1000
  }
  /** As Python's str() writes it: `1 day, 2:03:04.000005`. */
  override toString(): string {
    const { days, seconds, microseconds } = this
    const date = days === 0 ? '' : `${days} day${Math.abs(days) === 1 ? '' : 's'}, `
    const time = [Math.floor(seconds / 3600), pad(Math.floor(seconds / 60) % 60), pad(seconds % 60)].join(':')
    return `${date}${time}${microseconds === 0 ? '' : `.${pad(microseconds, 6)}`}`
  }
  /** An ISO 8601 duration, as Django's JSON encoder writes it: `P1DT02H03M04.000005S`. */
  toJSON(): string {
    const negative = this.days < 0
    const total =
      BigInt(this.days) * 86_400_000_000n + BigInt(this.seconds) * 1_000_000n + BigInt(this.microseconds)
    const micro = negative ? -total : total
    const seconds = Number(micro / 1_000_000n)
    const fraction = Number(micro % 1_000_000n)
    const [hours, minutes] = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60]
    const rest = `${pad(seconds % 60)}${fraction === 0 ? '' : `.${pad(fraction, 6)}`}`
    return `${negative ? '-' : ''}P${Math.floor(seconds / 86_400)}DT${pad(hours)}H${pad(minutes)}M${rest}S`
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    const { days, seconds, microseconds } = this
    const parts = Object.entries({ days, seconds, microseconds }).filter(([, count]) => count !== 0)
    into.add(`datetime.timedelta(${parts.map(([name, count]) => `${name}=${count}`).join(', ') || '0'})`)
  }
}

/** `+02:00`, with seconds where there are any. @param offset milliseconds */
function offsetText(offset: number): string {
  const total = Math.round(offset * 1000)
  const microseconds = Math.abs(total)
  const seconds = Math.floor(microseconds / 1e6)
  const fine = microseconds % 1e6
  const tail =
    fine !== 0 ? `:${pad(seconds % 60)}.${pad(fine, 6)}` : seconds % 60 !== 0 ? `:${pad(seconds % 60)}` : ''
  return `${total < 0 ? '-' : '+'}${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}${tail}`
}

/** `datetime.timezone`: a fixed offset east of UTC. */
export class PyTimeZone extends PythonValue {
  /** `datetime.timezone.utc`. */
  static readonly utc: PyTimeZone
  constructor(
    readonly offset: PyTimeDelta,
    /** The name that the constructor was given. Without one Python shows `UTC+02:00`. */
    readonly zoneName?: string,
  ) {
    super()
  }
  /** `+02:00`. */
  override toString(): string {
    return offsetText(this.offset.milliseconds)
  }
  /** `+02:00`. */
  toJSON(): string {
    return this.toString()
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    const { offset, zoneName } = this
    if (zoneName === undefined && offset.milliseconds === 0) into.add('datetime.timezone.utc')
    else into.items('datetime.timezone(', zoneName === undefined ? [offset] : [offset, zoneName], ')')
  }
}
// Set outside of the class: within it, a bundler would rename the class to `_PyTimeZone`.
Object.defineProperty(PyTimeZone, 'utc', { value: new PyTimeZone(new PyTimeDelta(0)), enumerable: true })

/** `datetime.date`. */
export class PyDate extends PythonValue {
  /** @throws RangeError for a date that does not exist */
  constructor(
    /** 1 … 9999. */
    readonly year: number,
    /** 1 … 12. */
    readonly month: number,
    /** 1 … 31. */
    readonly day: number,
  ) {
    super()
    within('year', year, 1, 9999)
    within('month', month, 1, 12)
    within('day', day, 1, daysIn(year, month))
  }
  /** `2020-01-02`. */
  override toString(): string {
    return `${pad(this.year, 4)}-${pad(this.month)}-${pad(this.day)}`
  }
  /** `2020-01-02`. */
  toJSON(): string {
    return this.toString()
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.add(`datetime.date(${this.year}, ${this.month}, ${this.day})`)
  }
}

function withinDay(hour: number, minute: number, second: number, microsecond: number): void {
  within('hour', hour, 0, 23)
  within('minute', minute, 0, 59)
  within('second', second, 0, 59)
  within('microsecond', microsecond, 0, 999_999)
}

/** The arguments of a time's constructor, as repr() shows them. */
function describeTime(
  into: Description,
  name: string,
  date: readonly number[],
  time: PyTime | PyDateTime,
): void {
  const { hour, minute, second, microsecond, tzinfo, fold } = time
  const parts = [...date, hour, minute]
  if (second > 0 || microsecond > 0) parts.push(second)
  if (microsecond > 0) parts.push(microsecond)
  into.add(`datetime.${name}(${parts.join(', ')}${fold ? ', fold=1' : ''}`)
  if (tzinfo !== null) {
    into.add(', tzinfo=')
    into.show(tzinfo)
  }
  into.add(')')
}

/** Shown for a zone with an unknown offset. Without it the time would look like a naive one. */
function zoneName(tzinfo: unknown): string {
  const zone = zoneOf(tzinfo)
  if (zone && 'name' in zone) return `[${zone.name}]`
  return tzinfo instanceof PythonObject ? `[${tzinfo.className}]` : '[unknown zone]'
}

/** `datetime.time`. */
export class PyTime extends PythonValue {
  /** @throws RangeError for a time that does not exist */
  constructor(
    readonly hour: number,
    readonly minute = 0,
    readonly second = 0,
    readonly microsecond = 0,
    /** `PyTimeZone`, an object of another tzinfo class, or null. */
    readonly tzinfo: unknown = null,
    /** 1 = the second of two equal wall-clock times, when clocks go back. */
    readonly fold: 0 | 1 = 0,
  ) {
    super()
    withinDay(hour, minute, second, microsecond)
  }
  /** As Python's isoformat(): `01:02:03.000004+02:00`; a named zone, whose offset depends on the date, as `[Europe/Paris]`. */
  override toString(): string {
    const { tzinfo } = this
    const time = timeText(this)
    if (tzinfo === null) return time
    if (tzinfo instanceof PyTimeZone) return `${time}${tzinfo}`
    const zone = zoneOf(tzinfo)
    return `${time}${zone && 'offset' in zone ? offsetText(zone.offset) : zoneName(tzinfo)}`
  }
  /** As `toString`. */
  toJSON(): string {
    return this.toString()
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    describeTime(into, 'time', [], this)
  }
}

/** `01:02:03.000004` */
function timeText({ hour, minute, second, microsecond }: PyTime | PyDateTime): string {
  const fraction = microsecond === 0 ? '' : `.${pad(microsecond, 6)}`
  return `${pad(hour)}:${pad(minute)}:${pad(second)}${fraction}`
}

/** `datetime.datetime`. */
export class PyDateTime extends PythonValue {
  /** @throws RangeError for a time that does not exist */
  constructor(
    readonly year: number,
    readonly month: number,
    readonly day: number,
    readonly hour = 0,
    readonly minute = 0,
    readonly second = 0,
    readonly microsecond = 0,
    /** `PyTimeZone`, an object of another tzinfo class, or null (a naive time). */
    readonly tzinfo: unknown = null,
    readonly fold: 0 | 1 = 0,
  ) {
    super()
    within('year', year, 1, 9999)
    within('month', month, 1, 12)
    within('day', day, 1, daysIn(year, month))
    withinDay(hour, minute, second, microsecond)
  }

  /** The moment as UTC. @throws RangeError for a Date that is invalid or outside of the years 1–9999 */
  static fromDate(date: Date, tzinfo: PyTimeZone | null = PyTimeZone.utc): PyDateTime {
    return dateTimeOf(date, tzinfo)
  }

  /**
   * The moment in milliseconds' precision; a naive time is taken as UTC. Zones are those of `datetime`, zoneinfo, pytz, dateutil, Django and
   * psycopg2; the offsets of named ones are looked up in Node's own zone data.
   * @throws TypeError for other tzinfo classes and for names that Node does not know
   */
  toDate(): Date {
    const offset = this.tzinfo === null ? 0 : this.offset
    if (offset === undefined)
      throw new TypeError(`a time in a zone without a known offset has no Date: ${zoneName(this.tzinfo)}`)
    return new Date(Math.floor(this.wall + this.microsecond / 1000 - offset))
  }

  /** As Python's isoformat(): `2020-01-02T03:04:05.000006+00:00`; a zone without a known offset by its name in brackets. */
  override toString(): string {
    const { year, month, day, tzinfo } = this
    const text = `${pad(year, 4)}-${pad(month)}-${pad(day)}T${timeText(this)}`
    if (tzinfo === null) return text
    const { offset } = this
    return `${text}${offset === undefined ? zoneName(tzinfo) : offsetText(offset)}`
  }
  /** As `toString`. */
  toJSON(): string {
    return this.toString()
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    describeTime(into, 'datetime', [this.year, this.month, this.day], this)
  }

  /** The wall-clock time in milliseconds, as if it were UTC, without microseconds. */
  private get wall(): number {
    const date = new Date(0)
    date.setUTCFullYear(this.year, this.month - 1, this.day)
    return date.setUTCHours(this.hour, this.minute, this.second)
  }

  /** Milliseconds east of UTC; undefined for a naive time and for a zone that is not known. */
  private get offset(): number | undefined {
    if (this.tzinfo instanceof PyTimeZone) return this.tzinfo.offset.milliseconds
    const zone = zoneOf(this.tzinfo)
    if (!zone) return undefined
    return 'offset' in zone ? zone.offset : namedOffset(zone, this.wall, this.fold)
  }
}

// Set outside of the class: a bundler renames a class that refers to itself to `_PyDateTime`.
function dateTimeOf(date: Date, tzinfo: PyTimeZone | null): PyDateTime {
  const local = new Date(date.getTime() + (tzinfo?.offset.milliseconds ?? 0))
  return new PyDateTime(
    local.getUTCFullYear(),
    local.getUTCMonth() + 1,
    local.getUTCDate(),
    local.getUTCHours(),
    local.getUTCMinutes(),
    local.getUTCSeconds(),
    local.getUTCMilliseconds() * 1000,
    tzinfo,
  )
}

brandAll('values', { PyTimeDelta, PyTimeZone, PyDate, PyTime, PyDateTime })
