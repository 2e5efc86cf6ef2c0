/** The classic capture format. Source: IETF draft-ietf-opsawg-pcap. */
import type { ByteQueue } from '../../ground/byte-queue.js'
import type { CaptureError } from './errors.js'
import { type FormatReader, longestPacket, type Packet } from './packet.js'

/** Byte order, unit of time and size of a record's header, all of which the magic number determines. */
export interface PcapForm {
  readonly littleEndian: boolean
  /** Parts of a second. */
  readonly unit: number
  /** Bytes. */
  readonly recordHeader: number
}

const forms: ReadonlyMap<number, PcapForm> = new Map([
  [0xa1b2c3d4, { littleEndian: false, unit: 1e6, recordHeader: 16 }],
  [0xd4c3b2a1, { littleEndian: true, unit: 1e6, recordHeader: 16 }],
  [0xa1b23c4d, { littleEndian: false, unit: 1e9, recordHeader: 16 }],
  [0x4d3cb2a1, { littleEndian: true, unit: 1e9, recordHeader: 16 }],
  // Kuznetzov's variant: two more words in each record.
  [0xa1b2cd34, { littleEndian: false, unit: 1e6, recordHeader: 24 }],
  [0x34cdb2a1, { littleEndian: true, unit: 1e6, recordHeader: 24 }],
])

/** @param magic the first four bytes, big endian */
export function pcapMagic(magic: number): PcapForm | undefined {
  return forms.get(magic)
}

const fileHeader = 24

export class PcapReader implements FormatReader {
  readonly owed = 0
  private linkType: number | undefined

  constructor(
    private readonly form: PcapForm,
    private readonly fail: (problem: string) => CaptureError,
  ) {}

  read(queue: ByteQueue, packet: (packet: Packet) => void): void {
    if (this.linkType === undefined) {
      const header = queue.peek(fileHeader)
      if (header === undefined) return
      // The upper bits hold the length of a frame check sequence.
      this.linkType = this.word(header, 20) & 0x0fffffff
      queue.skip(fileHeader)
    }
    const { recordHeader, unit } = this.form
    for (;;) {
      const header = queue.peek(recordHeader)
      if (header === undefined) return
      const captured = this.word(header, 8)
      const length = this.word(header, 12)
      if (captured > longestPacket)
        throw this.fail(
          `a packet claims ${captured} bytes, more than ${longestPacket}: the file is damaged here`,
        )
      if (queue.length < recordHeader + captured) return
      const time = this.word(header, 0) + this.word(header, 4) / unit
      queue.skip(recordHeader)
      packet({
        time,
        linkType: this.linkType,
        data: queue.take(captured),
        length: Math.max(length, captured),
      })
    }
  }

  private word(bytes: Buffer, at: number): number {
    return this.form.littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
  }
}
