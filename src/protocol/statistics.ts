/** The statistics of one reply, while they arrive. A server may send endless statistics; the kept memory is limited. */
import type { Bytes } from '../ground/bytes.js'
import { UnintelligibleReply } from './protocol.js'

/** Bytes of memory. The longest that memcached has, `stats sizes`, is below 4 MiB. */
const MOST = 32 * 1024 * 1024
/** Bytes that a row takes besides its text. */
const ROW = 128

export class Statistics {
  private rows: [Bytes, Bytes][] = []
  private size = 0

  /** @throws UnintelligibleReply for more than memcached ever sends */
  add(name: Bytes, value: Bytes): void {
    this.size += name.length + value.length + ROW
    if (this.size > MOST) throw new UnintelligibleReply(`statistics of more than ${MOST / 2 ** 20} MiB`)
    this.rows.push([name, value])
  }

  /** Returns the statistics of the finished reply, and begins the next one. */
  take(): [Bytes, Bytes][] {
    const { rows } = this
    this.rows = []
    this.size = 0
    return rows
  }
}
