/**
 * Python's datetime family. A `Date` would lose microseconds, missing time zones and `fold`, so these keep what Python
 * keeps; `toDate` gives a `Date` where one is wanted. Source: CPython's datetime module.
 */

const pad = (value: number, width = 2) => String(value).padStart(width, '0')
const MAX_DAYS = 999_999_999

/** Days of a month in the proleptic Gregorian calendar. */
function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

function within(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new RangeError(`${name} must be a whole number from ${min} to ${max}, not ${value}`)
}

/** `datetime.timedelta`, normalised as Python does: only `days` is ever negative. */
export class PyTimeDelta {
  /** @param days −999,999,999 … 999,999,999 @param seconds 0 … 86,399 @param microseconds 0 … 999,999 @throws RangeError */
  constructor(
    readonly days: number,
    readonly seconds = 0,
    readonly microseconds = 0,
  ) {
    within('days', days, -MAX_DAYS, MAX_DAYS)
    within('seconds', seconds, 0, 86_399)
    within('microseconds', microseconds, 0, 999_999)
  }
  /** In milliseconds, with a fraction. */
  get milliseconds(): number {
    return this.days * 86_400_000 + this.seconds * 1000 + this.microseconds / 1000
  }
}

/** `datetime.timezone`: a fixed offset east of UTC. */
export class PyTimeZone {
  static readonly utc = new PyTimeZone(new PyTimeDelta(0))
  constructor(
    readonly offset: PyTimeDelta,
    /** Only when one was given; Python makes `UTC+02:00` up otherwise. */
    readonly zoneName?: string,
  ) {}
  /** `+02:00`. */
  toString(): string {
    const total = Math.round(this.offset.milliseconds * 1000)
    const microseconds = Math.abs(total)
    const seconds = Math.floor(microseconds / 1e6)
    const fine = microseconds % 1e6
    const tail =
      fine !== 0 ? `:${pad(seconds % 60)}.${pad(fine, 6)}` : seconds % 60 !== 0 ? `:${pad(seconds % 60)}` : ''
    return `${total < 0 ? '-' : '+'}${pad(Math.floor(seconds / 3600))}:${pad(Math.floor(seconds / 60) % 60)}${tail}`
  }
}

/** `datetime.date`. */
export class PyDate {
  /** @throws RangeError for a date that does not exist */
  constructor(
    /** 1 … 9999. */
    readonly year: number,
    /** 1 … 12. */
    readonly month: number,
    /** 1 … 31. */
    readonly day: number,
  ) {
    within('year', year, 1, 9999)
    within('month', month, 1, 12)
    within('day', day, 1, daysIn(year, month))
  }
  /** `2020-01-02`. */
  toString(): string {
    return `${pad(this.year, 4)}-${pad(this.month)}-${pad(this.day)}`
  }
}

function withinDay(hour: number, minute: number, second: number, microsecond: number): void {
  within('hour', hour, 0, 23)
  within('minute', minute, 0, 59)
  within('second', second, 0, 59)
  within('microsecond', microsecond, 0, 999_999)
}

/** `datetime.time`. */
export class PyTime {
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
    withinDay(hour, minute, second, microsecond)
  }
  /** `01:02:03.000004+02:00`; the zone only when it is a fixed offset. */
  toString(): string {
    const { hour, minute, second, microsecond, tzinfo } = this
    const fraction = microsecond === 0 ? '' : `.${pad(microsecond, 6)}`
    const zone = tzinfo instanceof PyTimeZone ? tzinfo.toString() : ''
    return `${pad(hour)}:${pad(minute)}:${pad(second)}${fraction}${zone}`
  }
}

/** `datetime.datetime`. */
export class PyDateTime {
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
    within('year', year, 1, 9999)
    within('month', month, 1, 12)
    within('day', day, 1, daysIn(year, month))
    withinDay(hour, minute, second, microsecond)
  }

  /** The moment as UTC. @throws RangeError for a Date that is invalid or outside of the years 1–9999 */
  static fromDate(date: Date, tzinfo: PyTimeZone | null = PyTimeZone.utc): PyDateTime {
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

  /** The moment in milliseconds' precision; a naive time is taken as UTC. @throws TypeError for other tzinfo classes */
  toDate(): Date {
    const { tzinfo } = this
    if (tzinfo !== null && !(tzinfo instanceof PyTimeZone))
      throw new TypeError('a time in a zone without a fixed offset has no Date')
    const date = new Date(0)
    date.setUTCFullYear(this.year, this.month - 1, this.day)
    date.setUTCHours(this.hour, this.minute, this.second, Math.floor(this.microsecond / 1000))
    return new Date(date.getTime() - (tzinfo?.offset.milliseconds ?? 0))
  }

  /** `2020-01-02T03:04:05.000006+00:00`. */
  toString(): string {
    const { year, month, day, hour, minute, second, microsecond, tzinfo } = this
    return `${new PyDate(year, month, day)}T${new PyTime(hour, minute, second, microsecond, tzinfo)}`
  }
}
