/** Python's `fromisoformat`, for the output of `isoformat`. Source: CPython's datetime module. */
import { ValueError } from '../python/errors.js'
import { PyDate, PyDateTime, PyTime, PyTimeDelta, PyTimeZone } from '../values/index.js'

const DATE = '(\\d{4})-(\\d\\d)-(\\d\\d)'
const TIME = '(\\d\\d):(\\d\\d)(?::(\\d\\d)(?:\\.(\\d{3}|\\d{6}))?)?'
const ZONE = '(Z|[+-]\\d\\d:\\d\\d(?::\\d\\d)?)?'
const forms = {
  date: new RegExp(`^${DATE}$`),
  time: new RegExp(`^${TIME}${ZONE}$`),
  datetime: new RegExp(`^${DATE}(?:[T ]${TIME}${ZONE})?$`),
}

function parts(form: keyof typeof forms, text: string): (string | undefined)[] {
  const found = forms[form].exec(text)
  if (!found) throw new ValueError(`Invalid isoformat string: ${JSON.stringify(text.slice(0, 80))}`)
  return found.slice(1)
}

/** @throws ValueError, RangeError for a date that does not exist */
export function isoDate(text: string): PyDate {
  const [year, month, day] = parts('date', text).map(Number) as [number, number, number]
  return new PyDate(year, month, day)
}

/** @throws ValueError, RangeError for a time that does not exist */
export function isoTime(text: string): PyTime {
  const [hour, minute, second, fraction, zone] = parts('time', text)
  return new PyTime(Number(hour), Number(minute), Number(second ?? 0), microseconds(fraction), zoneOf(zone))
}

/** @throws ValueError, RangeError for a time that does not exist */
export function isoDateTime(text: string): PyDateTime {
  const [year, month, day, hour = '0', minute = '0', second = '0', fraction, zone] = parts('datetime', text)
  const date = [Number(year), Number(month), Number(day)] as const
  const time = [Number(hour), Number(minute), Number(second)] as const
  return new PyDateTime(...date, ...time, microseconds(fraction), zoneOf(zone))
}

const microseconds = (fraction = ''): number => Number(fraction.padEnd(6, '0'))

function zoneOf(text: string | undefined): PyTimeZone | null {
  if (text === undefined) return null
  if (text === 'Z') return PyTimeZone.utc
  const [hours = 0, minutes = 0, seconds = 0] = text.slice(1).split(':').map(Number)
  const east = (hours * 60 + minutes) * 60 + seconds
  if (east === 0) return PyTimeZone.utc
  const total = text[0] === '-' ? -east : east
  const days = Math.floor(total / 86_400)
  return new PyTimeZone(new PyTimeDelta(days, total - days * 86_400))
}
