/** `memshim where`: the server of a key under every placement, and the number of keys that move between two placements. */
import { Command } from 'commander'
import { moved, type NamedPlacement, placementNames, placements, serverName } from '../../hashing/index.js'
import { forTerminal } from '../for-terminal.js'
import { checkKeyArgument, type GivenKey, keyAsJson, keysIn, printableKey } from '../keys-file.js'
import { placedServers } from '../servers.js'
import { commaList, listed, UsageError } from '../usage.js'

interface Flags {
  readonly servers?: string[]
  readonly keys?: string
  readonly from: string
  readonly to: string
  readonly json?: boolean
}

export function whereCommand(): Command {
  return new Command('where')
    .description('Show the server of a key under each placement: python-memcached, pylibmc, pymemcache.')
    .argument('[keys...]', 'keys, as they are sent (prefix included)')
    .requiredOption(
      '--servers <list>',
      'servers in their order: host:port[:weight],… (pylibmc’s grammar)',
      commaList,
    )
    .option(
      '--keys <file>',
      'more keys, one a line, or a listing of lru_crawler metadump, plain or gzip (- = standard input)',
    )
    .option('--from <placement>', 'count the keys that move from this placement', 'python-memcached')
    .option('--to <placement>', '… to this one', 'pylibmc')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ memshim where user:1 user:2 --servers 10.0.0.1:11211,10.0.0.2:11211
  $ memshim where --keys keys.txt --servers a:11211:2,b:11211 --from python-memcached-1.59 --to pylibmc-crc

Placements: ${listed(placementNames)}
Exit codes: 0 done, 2 bad usage or input.`,
    )
    .action(run)
}

async function run(given: string[], flags: Flags): Promise<void> {
  given.forEach(checkKeyArgument)
  const keys: readonly GivenKey[] = [...given, ...(flags.keys === undefined ? [] : await keysIn(flags.keys))]
  if (keys.length === 0) throw new UsageError('no key given: name some, or use --keys FILE')
  const servers = placedServers(flags.servers ?? [])
  const all = placements(servers)
  const [from, to] = [chosen(all, '--from', flags.from), chosen(all, '--to', flags.to)]
  const count = moved(keys, from, to)
  if (flags.json) {
    const rows = keys.map((key) => ({
      key: keyAsJson(key),
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
    process.stdout.write(forTerminal(`${printableKey(key)}\n`))
    for (const { title, place } of all) {
      const index = place(key)
      const server = index === undefined ? 'no server' : `${index}  ${serverName(servers[index]!)}`
      process.stdout.write(forTerminal(`  ${title.padEnd(28)} ${server}\n`))
    }
  }
  if (keys.length > shown.length)
    process.stdout.write(forTerminal(`… and ${keys.length - shown.length} more keys (--json lists them)\n`))
  const share = ((100 * count) / keys.length).toFixed(1)
  process.stdout.write(
    forTerminal(`\n${from.title} → ${to.title}: ${count} of ${keys.length} keys move (${share} %)\n`),
  )
}

function chosen(all: readonly NamedPlacement[], option: string, name: string): NamedPlacement {
  const found = all.find((placement) => placement.name === name)
  if (found) return found
  throw new UsageError(`${option} ${name} is not known: choose one of ${listed(placementNames)}`)
}
