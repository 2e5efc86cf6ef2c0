/** Converts the times of Keyv and unstorage to memcached's. */
import { sentTime } from '../frameworks/client.js'
import { checkNumber } from '../ground/arguments.js'
import { MAX_RELATIVE_TIME } from '../ground/limits.js'

/**
 * The expiry time to send to memcached: seconds, rounded up, and over thirty days a date.
 * @param seconds undefined = never @throws TypeError when it is not a number
 */
export function timeOf(seconds: number | undefined): number {
  if (seconds === undefined) return 0
  checkNumber('ttl', seconds)
  if (seconds <= 0) return sentTime(-1)
  const whole = Math.ceil(seconds)
  return whole > MAX_RELATIVE_TIME ? Math.floor(Date.now() / 1000) + whole : whole
}
