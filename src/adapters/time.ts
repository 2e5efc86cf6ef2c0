/** Times of Keyv and unstorage as memcached's. */

import { sentTime } from '../frameworks/client.js'
import { checkNumber } from '../ground/arguments.js'

/** Longer times are dates to memcached. Seconds. */
const LONGEST_RELATIVE = 30 * 86_400

/**
 * Seconds until an item expires, as memcached takes them: rounded up, over thirty days as a date.
 * @param seconds undefined = never @throws TypeError when it is no number
 */
export function timeOf(seconds: number | undefined): number {
  if (seconds === undefined) return 0
  checkNumber('ttl', seconds)
  if (seconds <= 0) return sentTime(-1)
  const whole = Math.ceil(seconds)
  return whole > LONGEST_RELATIVE ? Math.floor(Date.now() / 1000) + whole : whole
}
