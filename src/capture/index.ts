/** Reads memcached traffic from a network capture: packets → connections → commands with their replies. No I/O. */

export { type CaptureKind, captureBlindness } from './blind.js'
export { headerLength, opcodeOf, packetHeader, replyMagic, requestMagic } from './commands/binary-packets.js'
export type { Command } from './commands/command.js'
export { type CommandExchange, Conversation, type ConversationCounts } from './commands/conversation.js'
export { keysOf, type Part, type Rewriting, written } from './commands/parts.js'
export { commandLine } from './commands/text-commands.js'
export { watchEvent } from './commands/watch-log.js'
export { Connections, type ConversationSink } from './packets/connections.js'
export { CaptureError } from './packets/errors.js'
export { type Endpoint, segmentOf, type Unread } from './packets/frames.js'
export { PacketFile } from './packets/packet-file.js'
