/**
 * Extracts the TCP segment from a frame: Ethernet with VLAN tags, MPLS or PPPoE, loopback, Linux cooked v1 and v2, raw IP; IPv4 and IPv6.
 * Source: tcpdump.org/linktypes.html, RFC 791, RFC 8200, RFC 9293.
 */
import type { Packet } from './packet.js'

/** One end of a connection. */
export interface Endpoint {
  /** IP address, IPv6 in its short form. */
  readonly address: string
  readonly port: number
}

export interface Segment {
  /** Unix time in seconds. */
  readonly time: number
  readonly from: Endpoint
  readonly to: Endpoint
  readonly sequence: number
  /** Undefined without the ACK bit. */
  readonly acknowledged: number | undefined
  readonly syn: boolean
  /** FIN. */
  readonly last: boolean
  readonly reset: boolean
  readonly payload: Buffer
  /** Bytes of the payload that are missing in the capture. */
  readonly missing: number
}

/** The reason why a frame has no segment. */
export type Unread = 'link type' | 'not TCP' | 'fragment' | 'damaged'

const ipv4 = 0x0800
const ipv6 = 0x86dd
const tcp = 6

export function segmentOf(packet: Packet): Segment | Unread {
  const { data } = packet
  const payload = networkPayload(packet)
  if (typeof payload === 'string') return payload
  const { type, at } = payload
  if (type === ipv4) return fromIpv4(packet, data.subarray(at))
  if (type === ipv6) return fromIpv6(packet, data.subarray(at))
  return 'not TCP'
}

/** EtherType of a network layer, and where its header is. */
interface Network {
  readonly type: number
  readonly at: number
}

function networkPayload({ linkType, data }: Packet): Network | Unread {
  const short = (length: number) => data.length < length
  switch (linkType) {
    case 1:
      return short(14) ? 'damaged' : behindTags(data, data.readUInt16BE(12), 14)
    // NULL: the address family in the byte order of the machine that captured; LOOP: in network order.
    case 0:
    case 108: {
      if (short(4)) return 'damaged'
      const family = Math.min(data.readUInt32LE(0), data.readUInt32BE(0))
      const type = family === 2 ? ipv4 : [10, 23, 24, 28, 30].includes(family) ? ipv6 : 0
      return { type, at: 4 }
    }
    case 113:
      return short(16) ? 'damaged' : behindTags(data, data.readUInt16BE(14), 16)
    case 276:
      return short(20) ? 'damaged' : behindTags(data, data.readUInt16BE(0), 20)
    case 12:
    case 14:
    case 101:
      return short(1) ? 'damaged' : { type: data[0]! >> 4 === 6 ? ipv6 : ipv4, at: 0 }
    case 228:
      return { type: ipv4, at: 0 }
    case 229:
      return { type: ipv6, at: 0 }
    default:
      return 'link type'
  }
}

const vlanTags: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100, 0x9200, 0x9300])
const mplsLabels: ReadonlySet<number> = new Set([0x8847, 0x8848])
const pppoeSession = 0x8864
/** Protocols of PPP. */
const pppTypes: Readonly<Record<number, number>> = { 33: ipv4, 87: ipv6 }

/**
 * Passes over VLAN tags (IEEE 802.1Q), labels of MPLS (RFC 3032) and the header of PPPoE (RFC 2516).
 * @param at where the payload of the type begins; a VLAN tag there is two bytes and the next type
 */
function behindTags(data: Buffer, type: number, at: number): Network | Unread {
  let [inner, place] = [type, at]
  while (vlanTags.has(inner)) {
    if (data.length < place + 4) return 'damaged'
    inner = data.readUInt16BE(place + 2)
    place += 4
  }
  if (mplsLabels.has(inner)) return behindLabels(data, place)
  if (inner === pppoeSession) {
    if (data.length < place + 8) return 'damaged'
    return { type: pppTypes[data.readUInt16BE(place + 6)] ?? 0, at: place + 8 }
  }
  return { type: inner, at: place }
}

/** The last label has a bit. Nothing names the type behind it: IPv4 and IPv6 begin with their version. */
function behindLabels(data: Buffer, at: number): Network | Unread {
  let place = at
  let isLast = false
  while (!isLast) {
    if (data.length < place + 5) return 'damaged'
    isLast = (data[place + 2]! & 1) === 1
    place += 4
  }
  const version = data[place]! >> 4
  return { type: version === 4 ? ipv4 : version === 6 ? ipv6 : 0, at: place }
}

function fromIpv4(packet: Packet, data: Buffer): Segment | Unread {
  if (data.length < 20) return 'damaged'
  const header = (data[0]! & 15) * 4
  if (data[0]! >> 4 !== 4 || header < 20 || data.length < header) return 'damaged'
  if (data[9] !== tcp) return 'not TCP'
  // More fragments, or not the first one.
  if ((data.readUInt16BE(6) & 0x3fff) !== 0) return 'fragment'
  const total = data.readUInt16BE(2)
  // The length is 0 where the network card cuts the segments (TSO).
  const length = total === 0 ? packet.length - (packet.data.length - data.length) : total
  if (length < header) return 'damaged'
  return segment(
    packet,
    data.subarray(header, length),
    length - header,
    ipv4Name(data, 12),
    ipv4Name(data, 16),
  )
}

/** Extension headers that may stand before TCP: hop-by-hop, routing, destination options. */
const extensions: ReadonlySet<number> = new Set([0, 43, 60])

function fromIpv6(packet: Packet, data: Buffer): Segment | Unread {
  if (data.length < 40 || data[0]! >> 4 !== 6) return 'damaged'
  const total = data.readUInt16BE(4)
  const length = total === 0 ? packet.length - (packet.data.length - data.length) : total + 40
  let next = data[6]!
  let at = 40
  while (extensions.has(next)) {
    if (data.length < at + 8) return 'damaged'
    next = data[at]!
    at += (data[at + 1]! + 1) * 8
  }
  if (next === 44) return 'fragment'
  if (next !== tcp) return 'not TCP'
  if (length < at || data.length < at) return 'damaged'
  return segment(packet, data.subarray(at, length), length - at, ipv6Name(data, 8), ipv6Name(data, 24))
}

/** @param length bytes of header and payload on the network */
function segment(packet: Packet, data: Buffer, length: number, from: string, to: string): Segment | Unread {
  if (data.length < 20) return 'damaged'
  const header = (data[12]! >> 4) * 4
  if (header < 20 || length < header) return 'damaged'
  const bits = data[13]!
  const payload = data.subarray(Math.min(header, data.length))
  return {
    time: packet.time,
    from: { address: from, port: data.readUInt16BE(0) },
    to: { address: to, port: data.readUInt16BE(2) },
    sequence: data.readUInt32BE(4),
    acknowledged: bits & 0x10 ? data.readUInt32BE(8) : undefined,
    syn: (bits & 2) !== 0,
    last: (bits & 1) !== 0,
    reset: (bits & 4) !== 0,
    payload,
    missing: Math.max(0, length - header - payload.length),
  }
}

function ipv4Name(data: Buffer, at: number): string {
  return `${data[at]}.${data[at + 1]}.${data[at + 2]}.${data[at + 3]}`
}

const ipv6Names = new Map<string, string>()

function ipv6Name(data: Buffer, at: number): string {
  const bytes = data.toString('latin1', at, at + 16)
  const known = ipv6Names.get(bytes)
  if (known !== undefined) return known
  const groups = Array.from({ length: 8 }, (_, i) => data.readUInt16BE(at + 2 * i).toString(16))
  const name = new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1)
  if (ipv6Names.size > 10_000) ipv6Names.clear()
  ipv6Names.set(bytes, name)
  return name
}
