/**
 * Lines of memcached's log for watchers. The server logs keys and results; placeholders for values have their length.
 * Source: memcached's doc/protocol.txt, "Watchers"; measured on 1.4.39 to 1.6.45.
 */
import { MAX_KEY_LENGTH } from '../../ground/limits.js'
import type { Command } from './command.js'
import type { CommandExchange } from './conversation.js'
import { plain } from './parts.js'
import { commandLine } from './text-commands.js'

/** One line: an exchange and the number of the client's connection; or how many lines the server has skipped. */
export type WatchEvent =
  | { readonly exchange: CommandExchange; readonly connection: string }
  | { readonly skipped: number }

/** The largest value in bytes. The log may contain any number. */
const longestValue = 2 ** 30

/** @returns undefined for lines of other kinds */
export function watchEvent(line: string): WatchEvent | undefined {
  const fields = new Map(
    line.split(' ').flatMap((word) => {
      const [, name, value] = /^([a-z_]+)=(.*)$/.exec(word) ?? []
      return name === undefined || value === undefined ? [] : [[name, value] as const]
    }),
  )
  const skipped = /skipped=(\d+)/.exec(line)?.[1]
  if (skipped !== undefined) return { skipped: Number(skipped) }
  const time = Number(fields.get('ts'))
  const key = decodedKey(fields.get('key'))
  if (!Number.isFinite(time) || key === undefined) return undefined
  const size = Math.min(longestValue, Math.max(0, Number(fields.get('size') ?? 0) || 0))
  const made = wireOf(fields, key, size)
  if (made === undefined) return undefined
  return {
    exchange: { time, command: made.command, reply: made.reply, settled: true },
    connection: fields.get('cfd') ?? 'deletions',
  }
}

function wireOf(
  fields: ReadonlyMap<string, string>,
  key: string,
  size: number,
): { readonly command: Command; readonly reply: CommandExchange['reply'] } | undefined {
  const value = { kind: 'value', flags: 0, length: size, bytes: undefined } as const
  const status = fields.get('status') ?? ''
  switch (fields.get('type')) {
    case 'item_get': {
      const found = status === 'found'
      if (!found && status !== 'not_found') return undefined
      return exchange(
        `get ${key}\r\n`,
        found
          ? [text('VALUE '), keyPart(key), text(` 0 ${size}\r\n`), value, text('\r\nEND\r\n')]
          : [text('END\r\n')],
      )
    }
    case 'item_store': {
      const verb = fields.get('cmd') ?? 'set'
      const words = { stored: 'STORED', not_stored: 'NOT_STORED', exists: 'EXISTS', not_found: 'NOT_FOUND' }
      const word = words[status as keyof typeof words] ?? 'SERVER_ERROR object too large for cache'
      const time = /^-?\d+$/.test(fields.get('ttl') ?? '') ? fields.get('ttl') : '0'
      const unique = verb === 'cas' ? ' 0' : ''
      const made = exchange(`${verb} ${key} 0 ${time} ${size}${unique}\r\n`, [text(`${word}\r\n`)])
      return (
        made && { ...made, command: { ...made.command, parts: [...made.command.parts, value, text('\r\n')] } }
      )
    }
    case 'deleted':
      return exchange(`delete ${key}\r\n`, [text('DELETED\r\n')])
    default:
      return undefined
  }
}

const text = (bytes: string) => plain(Buffer.from(bytes, 'latin1'))
const keyPart = (key: string) => ({ kind: 'key', bytes: Buffer.from(key, 'latin1') }) as const

function exchange(line: string, reply: NonNullable<CommandExchange['reply']>) {
  const read = commandLine(Buffer.from(line, 'latin1'))
  return read && !read.command.unrecorded ? { command: read.command, reply } : undefined
}

/** Percent-encoded, as one character per byte; undefined for a key that the text protocol cannot carry. */
function decodedKey(encoded: string | undefined): string | undefined {
  if (encoded === undefined || encoded === '') return undefined
  const key = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return /[\0-\x20\x7f]/.test(key) || key.length > MAX_KEY_LENGTH ? undefined : key
}
