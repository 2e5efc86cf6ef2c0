/**
 * How Python shows the time zones whose pickles name a private function or have only an offset. Sources: the `__repr__` of
 * zoneinfo, pytz and dateutil.
 */
import { textRepr } from '../../python/repr.js'
import type { PythonObject } from './built-ins.js'

/** Undefined for a value that is not a zone of these libraries. */
export function zoneRepr({ className, args, attributes }: PythonObject): string | undefined {
  const [first, second, third, fourth] = args
  const named = typeof first === 'string'
  switch (className) {
    case 'zoneinfo.ZoneInfo._unpickle':
    case 'backports.zoneinfo.ZoneInfo._unpickle':
      return named ? `zoneinfo.ZoneInfo(key=${textRepr(first)})` : undefined
    case 'pendulum.tz.timezone.Timezone._unpickle':
      return named ? `Timezone(${textRepr(first)})` : undefined
    case 'pytz._UTC':
    case 'pytz.UTC':
      return '<UTC>'
    case 'pytz.FixedOffset':
      return typeof first === 'number' ? `pytz.FixedOffset(${first})` : undefined
    case 'pytz._p':
      if (!named) return undefined
      return typeof second === 'number' && typeof fourth === 'string'
        ? `<DstTzInfo ${textRepr(first)} ${fourth}${second > 0 ? '+' : ''}${clock(second)} ${third ? 'DST' : 'STD'}>`
        : `<StaticTzInfo ${textRepr(first)}>`
    case 'dateutil.tz.tz.tzutc':
      return 'tzutc()'
    case 'dateutil.tz.tz.tzlocal':
      return 'tzlocal()'
    case 'dateutil.tz.tz.tzoffset':
      return fixedRepr(attributes.get('_name') ?? first, attributes.get('_offset') ?? second)
    case 'dateutil.tz.tz.tzfile':
    case 'dateutil.tz._tzfile._unpickle': {
      const file = args.filter((arg) => typeof arg === 'string').at(-1)
      return file === undefined ? undefined : `tzfile(${textRepr(file)})`
    }
    default:
      return undefined
  }
}

function fixedRepr(name: unknown, offset: unknown): string | undefined {
  if (typeof offset !== 'object' || offset === null || !('milliseconds' in offset)) return undefined
  return `tzoffset(${typeof name === 'string' ? textRepr(name) : 'None'}, ${(offset.milliseconds as number) / 1000})`
}

/** As `str(timedelta(seconds=seconds))`, for less than a day in either direction. */
function clock(seconds: number): string {
  const time = (seconds + 86_400) % 86_400
  const [hours, minutes, rest] = [Math.floor(time / 3600), Math.floor(time / 60) % 60, time % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return `${seconds < 0 ? '-1 day, ' : ''}${hours}:${two(minutes)}:${two(rest)}`
}
