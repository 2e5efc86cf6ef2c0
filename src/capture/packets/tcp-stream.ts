/**
 * One direction of a TCP connection: segments in, bytes in order out. Bytes that were sent again are delivered once; bytes that the capture has
 * lost are a gap. Source: RFC 9293, section 3.4 (sequence numbers).
 */
interface Waiting {
  readonly sequence: number
  readonly payload: Buffer
  readonly time: number
  readonly current: boolean
}

export interface StreamEvents {
  /** @param current as it was given with the segment */
  data(bytes: Buffer, time: number, current: boolean): void
  /** Reports that this number of bytes is missing here. */
  gap(length: number, time: number): void
}

/** Bytes and segments that wait for an earlier one. Beyond that the earlier one counts as lost. */
const mostWaitingBytes = 4 * 1024 * 1024
const mostWaiting = 1024
/** A jump of more than this is another connection's number, not a gap. */
const longestGap = 2 ** 30

export class TcpStream {
  /** Sequence number of the next byte; undefined before the first segment. */
  private next: number | undefined
  private waiting: Waiting[] = []
  private waitingBytes = 0

  constructor(private readonly events: StreamEvents) {}

  /** Whether later bytes wait for earlier ones. */
  get incomplete(): boolean {
    return this.waiting.length > 0
  }

  start(sequence: number): void {
    this.next = sequence >>> 0
    this.waiting = []
    this.waitingBytes = 0
  }

  /** Number of the next byte that is expected. */
  get expected(): number | undefined {
    return this.next
  }

  /**
   * @param missing bytes after the payload that are missing in the capture
   * @param current the sender had received everything of the other direction that is known here
   */
  segment(sequence: number, payload: Buffer, missing: number, time: number, current = true): void {
    if (payload.length + missing === 0) return
    if (this.next === undefined) this.start(sequence)
    const ahead = (sequence - this.next!) | 0
    if (ahead > 0 && ahead < longestGap) {
      this.wait({ sequence, payload, time, current })
      return
    }
    if (ahead > 0) return
    this.deliver(payload, -ahead, time, current)
    if (missing > 0) this.lose((sequence + payload.length + missing - this.next!) | 0, time)
    this.deliverWaiting()
  }

  /** A FIN has its own sequence number. @param sequence the number after the last byte */
  lastNumber(sequence: number): void {
    if (this.next === sequence >>> 0) this.next = (sequence + 1) >>> 0
  }

  /**
   * The other side has received everything before this number: bytes that are missing now will not arrive.
   * @returns whether bytes were lost
   */
  acknowledged(sequence: number, time: number): boolean {
    let lost = false
    while (this.next !== undefined) {
      const ahead = (sequence - this.next) | 0
      if (ahead <= 0 || ahead >= longestGap) break
      lost = true
      const first = this.waiting[0]
      const gap = first ? Math.min(ahead, (first.sequence - this.next) | 0) : ahead
      this.lose(gap, time)
      this.deliverWaiting()
    }
    return lost
  }

  /** The connection is over: delivers the waiting bytes, with gaps. */
  finish(time: number): void {
    while (this.waiting.length > 0) this.skipToWaiting(time)
  }

  private wait(segment: Waiting): void {
    const place = this.waiting.findIndex(({ sequence }) => ((sequence - segment.sequence) | 0) >= 0)
    const known = place < 0 ? undefined : this.waiting[place]
    if (known?.sequence === segment.sequence && known.payload.length >= segment.payload.length) return
    this.waiting.splice(place < 0 ? this.waiting.length : place, 0, segment)
    this.waitingBytes += segment.payload.length
    while (this.waiting.length > mostWaiting || this.waitingBytes > mostWaitingBytes)
      this.skipToWaiting(segment.time)
  }

  private skipToWaiting(time: number): void {
    const gap = (this.waiting[0]!.sequence - this.next!) | 0
    if (gap > 0) this.lose(gap, time)
    this.deliverWaiting()
  }

  private deliverWaiting(): void {
    for (;;) {
      const first = this.waiting[0]
      const ahead = first && (first.sequence - this.next!) | 0
      if (first === undefined || ahead === undefined || ahead > 0) return
      this.waiting.shift()
      this.waitingBytes -= first.payload.length
      this.deliver(first.payload, -ahead, first.time, first.current)
    }
  }

  /** @param known bytes at the beginning that have been delivered before */
  private deliver(payload: Buffer, known: number, time: number, current: boolean): void {
    if (known >= payload.length) return
    this.next = (this.next! + payload.length - known) >>> 0
    this.events.data(known > 0 ? payload.subarray(known) : payload, time, current)
  }

  private lose(length: number, time: number): void {
    if (length <= 0) return
    this.next = (this.next! + length) >>> 0
    this.events.gap(length, time)
  }
}
