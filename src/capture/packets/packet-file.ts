/** Packets out of a capture file or pipe, read chunk by chunk: pcap or pcapng, depending on the first bytes. */
import { ByteQueue } from '../../ground/byte-queue.js'
import { CaptureError } from './errors.js'
import type { FormatReader, Packet } from './packet.js'
import { PcapReader, pcapMagic } from './pcap.js'
import { PcapngReader, sectionHeader } from './pcapng.js'

export class PacketFile {
  private readonly queue = new ByteQueue()
  private format: FormatReader | undefined
  private taken = 0

  constructor(
    private readonly source: string,
    private readonly packet: (packet: Packet) => void,
  ) {}

  /** @throws CaptureError for a value that is not a capture, and for a record that cannot be true */
  push(chunk: Buffer): void {
    this.queue.push(chunk)
    this.taken += chunk.length
    this.format ??= this.recognised()
    this.format?.read(this.queue, this.packet)
  }

  /**
   * The capture is over.
   * @returns above 0 when the last record is incomplete, as after tcpdump was killed
   * @throws CaptureError when the file is too short to be a capture
   */
  end(): number {
    if (this.format === undefined)
      throw new CaptureError(
        this.source,
        0,
        `is ${this.taken === 0 ? 'empty' : 'too short'}: a capture of tcpdump -w or tshark -w is needed`,
      )
    return this.queue.length + (this.format.owed > 0 ? 1 : 0)
  }

  private recognised(): FormatReader | undefined {
    const magic = this.queue.peek(4)
    if (magic === undefined) return undefined
    const fail = (problem: string) => new CaptureError(this.source, this.taken - this.queue.length, problem)
    const number = magic.readUInt32BE(0)
    if (number === sectionHeader) return new PcapngReader(fail)
    const form = pcapMagic(number)
    if (form) return new PcapReader(form, fail)
    throw fail(
      `its first bytes are ${magic.toString('hex')}, neither those of pcap nor of pcapng: write the capture with tcpdump -w or tshark -w`,
    )
  }
}
