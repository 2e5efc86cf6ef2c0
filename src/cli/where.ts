/** `memshim where`: which server every placement gives a key to, and how many keys move between two of them. */
import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { Command } from 'commander'
import {
  moved,
  type NamedPlacement,
  type PlacedServer,
  placementNames,
  placements,
  serverName,
} from '../hashing/index.js'
import { parseServers } from '../strict/index.js'
import { hostAndPort } from '../transport/address.js'
import { commaList, listed, UsageError } from './usage.js'

interface Flags {
  readonly servers?: string[]
  readonly keys?: string
  readonly from: string
  readonly to: string
  readonly json?: boolean
}

export function whereCommand(): Command {
  return new Command('where')
    .description('Show which server a key is on under each placement: python-memcached, pylibmc, pymemcache.')
    .argument('[keys...]', 'keys, as they are sent (prefix included)')
    .requiredOption(
      '--servers <list>',
      'servers in their order: host:port[:weight],… (pylibmc’s grammar)',
      commaList,
    )
    .option(
      '--keys <file>',
      'more keys, one a line, or a listing of lru_crawler metadump (- = standard input)',
    )
    .option('--from <placement>', 'count moved keys from this placement', 'python-memcached')
    .option('--to <placement>', '… to this one', 'pylibmc')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ memshim where user:1 user:2 --servers 10.0.0.1:11211,10.0.0.2:11211
  $ memshim where --keys keys.txt --servers a:11211:2,b:11211 --from python-memcached-1.59 --to pylibmc-crc

Placements: ${listed(placementNames)}`,
    )
    .action(run)
}

/** A key; bytes when it is not UTF-8. */
type GivenKey = string | Buffer

async function run(given: string[], flags: Flags): Promise<void> {
  given.forEach(checkArgument)
  const keys: readonly GivenKey[] = [...given, ...(flags.keys === undefined ? [] : await keysIn(flags.keys))]
  if (keys.length === 0) throw new UsageError('no key given: name some, or use --keys FILE')
  const servers = parsed(flags.servers ?? [])
  const all = placements(servers)
  const [from, to] = [chosen(all, '--from', flags.from), chosen(all, '--to', flags.to)]
  const count = moved(keys, from, to)
  if (flags.json) {
    const rows = keys.map((key) => ({
      key: typeof key === 'string' ? key : { $bytes: key.toString('latin1') },
      servers: Object.fromEntries(all.map(({ name, place }) => [name, place(key) ?? null])),
    }))
    const summary = { from: from.name, to: to.name, keys: keys.length, moved: count }
    process.stdout.write(
      `${JSON.stringify({ servers: servers.map(serverName), keys: rows, summary }, null, 2)}\n`,
    )
    return
  }
  const shown = keys.slice(0, 50)
  for (const key of shown) {
    process.stdout.write(`${printable(key)}\n`)
    for (const { title, place } of all) {
      const index = place(key)
      const server = index === undefined ? 'no server' : `${index}  ${serverName(servers[index]!)}`
      process.stdout.write(`  ${title.padEnd(28)} ${server}\n`)
    }
  }
  if (keys.length > shown.length)
    process.stdout.write(`… and ${keys.length - shown.length} more keys (--json lists them)\n`)
  const share = ((100 * count) / keys.length).toFixed(1)
  process.stdout.write(`\n${from.title} → ${to.title}: ${count} of ${keys.length} keys move (${share} %)\n`)
}

function parsed(specs: readonly string[]): readonly PlacedServer[] {
  try {
    return parseServers(specs).map(({ address, weight }) => ({ ...hostAndPort(address), weight }))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(
      `--servers ${specs.join(',')}: ${reason} (host:port, host:port:weight, [v6]:port or /path)`,
    )
  }
}

function chosen(all: readonly NamedPlacement[], option: string, name: string): NamedPlacement {
  const found = all.find((placement) => placement.name === name)
  if (found) return found
  throw new UsageError(`${option} ${name} is not known: choose one of ${listed(placementNames)}`)
}

/** Node has already turned bytes that are not UTF-8 into U+FFFD. */
function checkArgument(key: string): void {
  if (key.includes('\ufffd'))
    throw new UsageError(
      `the key ${printable(key)} was not given in UTF-8: put it in a file, one key a line, and use --keys FILE`,
    )
}

/** Bytes of keys that are read at most. */
const longestKeys = 256 * 1024 * 1024

async function keysIn(path: string): Promise<GivenKey[]> {
  try {
    const bytes = await contentOf(path === '-' ? process.stdin : createReadStream(path))
    const keys: GivenKey[] = []
    for (let from = 0; from < bytes.length; ) {
      const found = bytes.indexOf(lineFeed, from)
      const end = found < 0 ? bytes.length : found
      const line = bytes.subarray(from, bytes[end - 1] === carriageReturn && end > from ? end - 1 : end)
      const key = listedKey(line)
      if (key.length > 0) keys.push(isUtf8(key) ? key.toString('utf8') : key)
      from = end + 1
    }
    return keys
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new UsageError(`--keys ${path} cannot be read: ${code ?? message}`)
  }
}

/** The key of a line of `lru_crawler metadump`, which is percent-encoded; every other line is a key itself. */
function listedKey(line: Buffer): Buffer {
  const encoded = /^key=(\S+) exp=-?\d+ la=/.exec(line.toString('latin1', 0, 1000))?.[1]
  if (encoded === undefined) return line
  const key = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(key, 'latin1')
}

const lineFeed = 0x0a
const carriageReturn = 0x0d

async function contentOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length > longestKeys) throw new RangeError(`it is longer than ${longestKeys} bytes`)
  }
  return Buffer.concat(chunks, length)
}

function printable(key: GivenKey): string {
  const text = typeof key === 'string' ? key : key.toString('latin1')
  const shown = typeof key === 'string' ? /[\x00-\x1f\x7f-\x9f]/g : /[^\x20-\x7e]/g
  return text.replace(shown, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
