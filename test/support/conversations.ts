/**
 * Conversations recorded from real memcacheds (fixtures/conversations, docs/formats.md): who is asked what, and which replies a server of
 * some version may give.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { compareVersions } from '../../src/rules/version.js'

type Wire = string | readonly (string | { readonly $repeat: readonly [string, number] })[]

/** A reply of the versions from `from` up to the next entry. */
type RecordedReply =
  | { readonly from: string; readonly receive: Wire; readonly closed?: true }
  /** The server had hung up before. */
  | { readonly from: string; readonly ended: true }

type RecordedExchange =
  | { readonly send: Wire; readonly replies: readonly RecordedReply[] }
  | { readonly sleep: number }

export interface Conversation {
  readonly about: string
  readonly exchanges: readonly RecordedExchange[]
}

export interface Topic {
  readonly name: string
  /** The versions that were asked, oldest first. */
  readonly memcached: readonly string[]
  readonly args: readonly string[]
  readonly conversations: readonly Conversation[]
}

export interface Reply {
  /** One character per byte. */
  readonly text: string
  /** The server hangs up after it. */
  readonly closed: boolean
}

export type Exchange =
  | { readonly sleep: number }
  /** `allowed`: any of these is a right reply; none where the server has hung up. */
  | { readonly send: string; readonly allowed: readonly Reply[]; readonly statistics: boolean }

const folder = new URL('../../fixtures/conversations/', import.meta.url)

export function loadTopics(): Topic[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      name: file.replace('.json', ''),
      ...JSON.parse(readFileSync(new URL(file, folder), 'utf8')),
    }))
}

/** The recorded versions whose replies a server of this version may give: itself, or its neighbours when it was not recorded. */
export function neighbours(recorded: readonly string[], version: string): string[] {
  const below = recorded.filter((one) => compareVersions(one, version) <= 0).at(-1)
  const above = recorded.find((one) => compareVersions(one, version) >= 0)
  return [...new Set([below, above])].filter((one) => one !== undefined)
}

/**
 * What is said in a conversation with a server of this version. Between two recorded versions that answer differently, both answers are
 * allowed: at which version in between the change came was not recorded.
 */
export function exchangesOf(conversation: Conversation, versions: readonly string[]): Exchange[] {
  return conversation.exchanges.map((exchange) => {
    if ('sleep' in exchange) return exchange
    const replies = versions.map((version) => replyOf(exchange.replies, version))
    const allowed = replies.flatMap((reply) =>
      reply && 'receive' in reply ? [{ text: bytes(reply.receive), closed: reply.closed === true }] : [],
    )
    return { send: bytes(exchange.send), allowed, statistics: allowed.some(({ text }) => isStatistics(text)) }
  })
}

function replyOf(replies: readonly RecordedReply[], version: string): RecordedReply | undefined {
  return replies.filter(({ from }) => compareVersions(from, version) <= 0).at(-1)
}

/** `STAT` lines, or the frames of the binary protocol's STAT. */
function isStatistics(text: string): boolean {
  return text.startsWith('STAT ') || (text.startsWith('\x81\x10') && text.charCodeAt(3) > 0)
}

/** Names and values; a value that differs from run to run was recorded as the byte 0xff. */
export function statisticsIn(text: string): Map<string, string> {
  if (!text.startsWith('\x81'))
    return new Map([...text.matchAll(/^STAT (\S+) (.*?)\r$/gm)].map(([, name, value]) => [name!, value!]))
  return new Map(
    frames(text)
      .map((frame) => {
        const length = frame.charCodeAt(2) * 256 + frame.charCodeAt(3)
        return [frame.slice(24, 24 + length), frame.slice(24 + length)] as const
      })
      .filter(([name]) => name !== ''),
  )
}

export const volatile = '\xff'

/** In `send`: the CAS unique that the server sent last. */
const placeholder = '$cas'
const binaryPlaceholder = bigEndian(2n ** 64n - 2n)

/** CAS uniques of one conversation with the numbers of their first appearance; the last one is at the end. */
export type Uniques = ReadonlyMap<bigint, number>

export function withLastUnique(send: string, uniques: Uniques): string {
  const last = [...uniques.keys()].at(-1) ?? 1n
  return send.replaceAll(placeholder, String(last)).replaceAll(binaryPlaceholder, bigEndian(last))
}

/**
 * A reply with CAS uniques numbered by their first appearance: which numbers a server takes is its own business. Remaining lifetimes are
 * rounded up to tens of seconds, and times since the last use down: a few seconds may pass while a conversation is held.
 */
export function numbered(text: string, before: Uniques): { text: string; uniques: Uniques } {
  const uniques = new Map(before)
  const number = (unique: bigint) => {
    const given = uniques.get(unique) ?? uniques.size + 1
    uniques.delete(unique)
    uniques.set(unique, given)
    return given
  }
  if (text.startsWith('\x81')) {
    const rows = frames(text).map((frame) => {
      if (frame.length < 24) return frame
      const unique = Buffer.from(frame.slice(16, 24), 'latin1').readBigUInt64BE(0)
      return unique === 0n ? frame : frame.slice(0, 16) + bigEndian(BigInt(number(unique))) + frame.slice(24)
    })
    return { text: rows.join(''), uniques }
  }
  const lines = text.replace(
    /^(VALUE \S+ \d+ \d+) (\d+)(?=\r$)|^(?:VA|HD|OK|EX|NS|NF|EN) .*(?=\r$)/gm,
    (line, value?: string, unique?: string) =>
      value === undefined
        ? line
            .replace(/ c(\d+)/g, (_, flag: string) => ` c${number(BigInt(flag))}`)
            .replace(/ l\d /g, ' l0 ')
            .replace(/ t(\d+)/g, (_, left: string) => ` t${Math.ceil(Number(left) / 10) * 10}`)
        : `${value} ${number(BigInt(unique!))}`,
  )
  return { text: lines, uniques }
}

function bigEndian(value: bigint): string {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64BE(value)
  return buffer.toString('latin1')
}

/** The last may be incomplete. */
function frames(text: string): string[] {
  const cut: string[] = []
  let whole = 0
  for (let at = 0; at + 24 <= text.length; ) {
    const end = at + 24 + Buffer.from(text.slice(at + 8, at + 12), 'latin1').readUInt32BE(0)
    cut.push(text.slice(at, end))
    at = end
    whole = at
  }
  return whole < text.length ? [...cut, text.slice(whole)] : cut
}

function bytes(wire: Wire): string {
  const parts = typeof wire === 'string' ? [wire] : wire
  return parts
    .map((part) => (typeof part === 'string' ? part : part.$repeat[0].repeat(part.$repeat[1])))
    .join('')
}
