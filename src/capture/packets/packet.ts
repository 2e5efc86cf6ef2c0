/** What the readers of capture files have in common. */
import type { ByteQueue } from '../../ground/byte-queue.js'

/** One captured frame. */
export interface Packet {
  /** Unix time in seconds. */
  readonly time: number
  /** LINKTYPE_ number of its interface. */
  readonly linkType: number
  /** What was captured of the frame. */
  readonly data: Buffer
  /** Bytes of the frame on the network: more than `data` when the capture cut it. */
  readonly length: number
}

/** What reads one of the two formats. */
export interface FormatReader {
  /** Bytes of a record that was begun to be passed over, and that have not come yet. */
  readonly owed: number
  /** Takes whole records from the queue. @throws CaptureError */
  read(queue: ByteQueue, packet: (packet: Packet) => void): void
}

/** Bytes of one frame. libpcap itself takes no more than 262,144. */
export const longestPacket = 1024 * 1024
