/** python-memcached's time arguments. Source: docs/reference/python-memcached.md#11, #10.4. */
import { OverflowError, ValueError } from '../python/errors.js'
import { PyFloat, PyTimeDelta } from '../values/index.js'

/** A number as Python code would have passed it: a PyFloat is a float, an integer number an int. */
export function asNumber(time: unknown): number | bigint | undefined {
  if (time instanceof PyFloat) return time.value
  if (typeof time === 'number' || typeof time === 'bigint') return time
  if (typeof time === 'boolean') return time ? 1 : 0
  return undefined
}

/**
 * `'%d' % time`, as the store commands send it: truncated towards zero.
 * @throws TypeError for anything but numbers; OverflowError, ValueError for infinities and nan (TypeError on Python 2)
 */
export function storeTime(time: unknown, python: 2 | 3): number | bigint {
  const number = asNumber(time)
  if (number === undefined) throw new TypeError(`%d format: a real number is required, not ${typeof time}`)
  if (typeof number === 'bigint') return number
  if (python === 2 && !Number.isFinite(number))
    throw new TypeError('%d format: a number is required, not float')
  if (Number.isNaN(number)) throw new ValueError('cannot convert float NaN to integer')
  if (!Number.isFinite(number)) throw new OverflowError('cannot convert float infinity to integer')
  const whole = Math.trunc(number)
  return Number.isSafeInteger(whole) ? whole + 0 : BigInt(whole)
}

/** `str(value)`, as touch, incr and decr send it. */
export function sentText(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (value instanceof PyFloat)
    return Number.isInteger(value.value) ? `${value.value}.0` : String(value.value)
  if (value instanceof PyTimeDelta) return timedeltaText(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value)
}

/** `str(delta)`: `1:02:03`, `31 days, 0:00:00`, `0:00:01.900000`. */
function timedeltaText({ days, seconds, microseconds }: PyTimeDelta): string {
  const two = (part: number) => String(part).padStart(2, '0')
  const clock = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  const fraction = microseconds === 0 ? '' : `.${String(microseconds).padStart(6, '0')}`
  const date = days === 0 ? '' : `${days} day${Math.abs(days) === 1 ? '' : 's'}, `
  return `${date}${clock}${fraction}`
}

/** `int(delta.total_seconds())`. */
export function timedeltaSeconds({ days, seconds, microseconds }: PyTimeDelta): number {
  return Math.trunc(days * 86_400 + seconds + microseconds / 1e6) + 0
}
