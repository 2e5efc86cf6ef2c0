/** Types that the readers of capture files share. */
import type { ByteQueue } from '../../ground/byte-queue.js'

/** One captured frame. */
export interface Packet {
  /** Unix time in seconds. */
  readonly time: number
  /** LINKTYPE_ number of its interface. */
  readonly linkType: number
  /** The captured part of the frame. */
  readonly data: Buffer
  /** Bytes of the frame on the network: more than `data` when the capture cut it. */
  readonly length: number
}

/** A reader of one of the two formats. */
export interface FormatReader {
  /** Bytes of a skipped record that have not arrived yet. */
  readonly owed: number
  /** Takes whole records from the queue. @throws CaptureError */
  read(queue: ByteQueue, packet: (packet: Packet) => void): void
}

/** Bytes of one frame. libpcap itself takes no more than 262,144. */
export const longestPacket = 1024 * 1024
