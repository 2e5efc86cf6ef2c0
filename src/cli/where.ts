/** `memshim where`: which server every placement gives a key to, and how many keys move between two of them. */
import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { PlacedServer } from '../hashing/index.js'
import { parseServers } from '../strict/index.js'
import { moved, type NamedPlacement, placementNames, placements, serverName } from './placements.js'
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
    .option('--keys <file>', 'more keys, one a line (- = standard input)')
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

async function run(given: string[], flags: Flags): Promise<void> {
  const keys = [...given, ...(flags.keys === undefined ? [] : await keysIn(flags.keys))]
  if (keys.length === 0) throw new UsageError('no key given: name some, or use --keys FILE')
  const servers = parsed(flags.servers ?? [])
  const all = placements(servers)
  const [from, to] = [chosen(all, '--from', flags.from), chosen(all, '--to', flags.to)]
  const count = moved(keys, from, to)
  if (flags.json) {
    const rows = keys.map((key) => ({
      key,
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
    return parseServers(specs).map(({ address, weight }) =>
      address.transport === 'unix'
        ? { host: address.path, port: 0, weight }
        : { host: address.host, port: address.port, weight },
    )
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

async function keysIn(path: string): Promise<string[]> {
  try {
    const text = path === '-' ? await standardInput() : await readFile(path, 'utf8')
    return text.split(/\r?\n/).filter((line) => line !== '')
  } catch (error) {
    throw new UsageError(
      `--keys ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`,
    )
  }
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function printable(key: string): string {
  return key.replace(
    /[\x00-\x1f\x7f-\x9f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
