/** memshim/record: wire traces from a running fleet, without touching the applications. */
export { CaptureError } from '../capture/index.js'
export type { Look } from './looks.js'
export { type PacketInput, type PacketSettings, recordPackets } from './packets.js'
export type { RecordSource } from './recording.js'
export type { OrderFound } from './server-order.js'
export { RecordError, type RecordSettings } from './settings.js'
export type { RecordSummary } from './summary.js'
