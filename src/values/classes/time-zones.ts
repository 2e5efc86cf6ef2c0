/**
 * The offset from UTC in Python's time zones: fixed ones from their pickle, named ones from Node's own zone data (Intl).
 * Sources: CPython's zoneinfo and PEP 495, pytz, dateutil, pendulum, Django, psycopg2; fixtures/vectors/zones.json.
 */
import { PythonObject } from './built-ins.js'

/** Milliseconds east of UTC, or a name of the IANA database. */
type Zone =
  | { readonly offset: number }
  /** For the times in a gap, dateutil uses the offset after the gap; Python's own zones use the offset before it. */
  | { readonly name: string; readonly laterInGaps?: true }

const UTC = /^(pytz\._?UTC|dateutil\.tz\.(tz\.)?tzutc|django\.utils\.timezone\.UTC|zoneinfo\.ZoneInfo\.utc)$/
const FIXED =
  /^(dateutil\.tz\.(tz\.)?tzoffset|django\.utils\.timezone\.FixedOffset|psycopg2\.tz\.FixedOffsetTimezone)$/
const ZONE_INFO = /^((backports\.)?zoneinfo\.ZoneInfo|pendulum\.tz\.timezone\.Timezone)(\._unpickle)?$/
const MINUTE = 60_000

/** Undefined for an unknown class, such as the local time zone of the writing machine. */
export function zoneOf(tzinfo: unknown): Zone | undefined {
  if (!(tzinfo instanceof PythonObject)) return undefined
  const { className, args } = tzinfo
  const [first, second] = args
  if (UTC.test(className)) return { offset: 0 }
  if (className === 'pytz.FixedOffset' && typeof first === 'number') return { offset: first * MINUTE }
  // pytz stores the offset with each time. A zone without a stored offset always has the same one.
  if (className === 'pytz._p' && typeof second === 'number') return { offset: second * 1000 }
  if ((className === 'pytz._p' || ZONE_INFO.test(className)) && typeof first === 'string')
    return { name: first }
  if (className === 'pendulum.tz.timezone.FixedTimezone' && typeof first === 'number')
    return { offset: first * 1000 }
  if (FIXED.test(className)) return fixedOffset(tzinfo)
  if (className === 'dateutil.tz.tz.tzlocal') return localOffset(tzinfo)
  const file = className.startsWith('dateutil.') ? args.find((arg) => typeof arg === 'string') : undefined
  return typeof file === 'string' ? { name: file.replace(/^.*zoneinfo\//, ''), laterInGaps: true } : undefined
}

/** A timedelta, or minutes, in an argument or an attribute. */
function fixedOffset({ args, attributes }: PythonObject): Zone | undefined {
  const named = [...attributes].filter(([name]) => /offset$/.test(name)).map(([, value]) => value)
  const [first, ...others] = args
  const durations = others.filter((arg) => milliseconds(arg) !== undefined)
  for (const value of [...named, first, ...durations]) {
    if (typeof value === 'number') return { offset: value * MINUTE }
    const duration = milliseconds(value)
    if (duration !== undefined) return { offset: duration }
  }
  return undefined
}

/** The local time zone of the writing machine, if it has no summer time. */
function localOffset({ attributes }: PythonObject): Zone | undefined {
  const offset = milliseconds(attributes.get('_std_offset'))
  return attributes.get('_hasdst') === false && offset !== undefined ? { offset } : undefined
}

function milliseconds(value: unknown): number | undefined {
  return typeof value === 'object' && value !== null && 'milliseconds' in value
    ? (value.milliseconds as number)
    : undefined
}

const DAY = 86_400_000

/**
 * The offset of a wall-clock time, in milliseconds.
 * @param wall the time as if it were UTC, in milliseconds
 * @param fold as in PEP 495: which of two equal times, and which side of a gap
 * @returns undefined when Node does not know the zone
 */
export function namedOffset(
  { name, laterInGaps }: Extract<Zone, { name: string }>,
  wall: number,
  fold: 0 | 1,
): number | undefined {
  const before = offsetAt(name, wall - DAY)
  const after = offsetAt(name, wall + DAY)
  if (before === undefined || after === undefined || before === after) return before
  const wanted = fold === 0 ? [before, after] : [after, before]
  // For a time in a gap, neither offset is right.
  return (
    wanted.find((offset) => offsetAt(name, wall - offset) === offset) ?? (laterInGaps ? after : wanted[0])
  )
}

const formats = new Map<string, Intl.DateTimeFormat | undefined>()

/** The offset at one moment. */
function offsetAt(name: string, moment: number): number | undefined {
  if (!formats.has(name)) formats.set(name, formatOf(name))
  const format = formats.get(name)
  if (!format) return undefined
  const second = Math.floor(moment / 1000) * 1000
  const parts = Object.fromEntries(
    format.formatToParts(second).map(({ type, value }) => [type, Number(value)]),
  )
  const wall = new Date(0)
  wall.setUTCFullYear(parts.year!, parts.month! - 1, parts.day!)
  wall.setUTCHours(parts.hour!, parts.minute!, parts.second!)
  return wall.getTime() - second
}

function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-iso8601', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    return undefined
  }
}
