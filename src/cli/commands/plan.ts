/** `memshim plan`: the cost of moving the keys to another placement, for every way to do it. */
import { Command } from 'commander'
import { epochOf, expandPatterns, plan, readTraces, renderPlan, type Trace, ways } from '../../audit/index.js'
import { type NamedPlacement, placementNames, placements, serverName } from '../../hashing/index.js'
import { listedItems } from '../../scan/index.js'
import { forTerminal } from '../for-terminal.js'
import { placedServers } from '../servers.js'
import { commaList, listed, UsageError } from '../usage.js'

interface Flags {
  readonly oneApplication?: boolean
  readonly servers?: string[]
  readonly from?: string
  readonly to: string
  readonly begin?: string
  readonly hours?: string
  readonly way?: string[]
  readonly scan?: string
  readonly json?: boolean
}

export function planCommand(): Command {
  return new Command('plan')
    .description('Compute the cost of moving the keys to another placement, for every way to move them.')
    .argument(
      '<traces...>',
      "traces of one application (JSON Lines, plain or .gz; patterns like 'app.*.jsonl')",
    )
    .option('--one-application', 'the traces belong to one application, also if their headers differ')
    .option('--servers <list>', 'servers in their order; default: those of the trace', commaList)
    .option('--from <placement>', 'present placement; default: that of the library of the trace')
    .option('--to <placement>', 'placement after the move', 'pylibmc')
    .option('--begin <seconds>', 'begin of the move, in seconds of the trace; default: after a quarter of it')
    .option(
      '--hours <n>',
      'hours from the beginning to the last step; default: half of the trace, at most 24',
    )
    .option('--way <names>', `ways to try (${listed(ways.map(({ name }) => name))}); default: all`, commaList)
    .option(
      '--scan <file>',
      'items that are stored already: the output of lru_crawler metadump, plain or gzip',
    )
    .option('--json', 'as JSON, with the figures of every minute')
    .addHelpText(
      'after',
      `
Examples:
  $ memshim plan app.jsonl
  $ memshim plan app.jsonl --to pylibmc-crc                       (hash=crc: usually nothing moves)
  $ memshim plan 'app.*.jsonl.gz' --to pylibmc-ketama --hours 6 --way dual,percentage
  $ memshim plan app.jsonl --scan metadump.txt --json

Placements: ${listed(placementNames)}
Exit codes: 0 success, 2 bad usage or input.
How to read it: docs/tools/plan.md.`,
    )
    .action(run)
}

async function run(paths: string[], flags: Flags): Promise<void> {
  const trace = await readTraces(await expandPatterns(paths), flags)
  const specs = flags.servers ?? (await serversOf(trace))
  const servers = placedServers(specs)
  const all = placements(servers)
  const from = chosen(all, '--from', flags.from ?? placementOf(trace))
  const to = chosen(all, '--to', flags.to)
  const begin = seconds('--begin', flags.begin)
  const hours = seconds('--hours', flags.hours)
  const result = await plan(trace, {
    from: (key) => from.place(Buffer.from(key, 'latin1')),
    to: (key) => to.place(Buffer.from(key, 'latin1')),
    servers: servers.length,
    ...(begin === undefined ? {} : { begin }),
    ...(hours === undefined ? {} : { hours }),
    ...(flags.way ? { ways: flags.way.map(wayNamed) } : {}),
    ...(flags.scan === undefined ? {} : { items: await itemsIn(flags.scan, epochOf(trace.header, 0)) }),
  })
  if (flags.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  else
    process.stdout.write(
      forTerminal(`${from.title} → ${to.title}\n${renderPlan(result, servers.map(serverName))}`),
    )
}

/** Servers in the order of their first appearance. @throws UsageError for a trace that names none */
async function serversOf(trace: Trace): Promise<readonly string[]> {
  const found = new Set<string>()
  for await (const event of trace.events()) {
    if (event.kind === 'new')
      for (const spec of event.servers) found.add(typeof spec === 'string' ? spec : `${spec[0]}:${spec[1]}`)
    if (found.size >= trace.header.servers) break
  }
  if (found.size === 0) throw new UsageError('the trace names no servers: give them with --servers')
  return [...found]
}

function placementOf({ header: { library, version } }: Trace): string {
  if (library !== 'python-memcached') return library
  const minor = Number(version.split('.')[1])
  return minor >= 60 ? 'python-memcached' : minor >= 45 ? 'python-memcached-1.59' : 'python-memcached-1.44'
}

function chosen(all: readonly NamedPlacement[], option: string, name: string): NamedPlacement {
  const found = all.find((placement) => placement.name === name)
  if (found) return found
  throw new UsageError(`${option} ${name} is not known: choose one of ${listed(placementNames)}`)
}

function wayNamed(name: string) {
  const found = ways.find((way) => way.name === name)
  if (found) return found
  throw new UsageError(`--way ${name} is not known: choose from ${listed(ways.map((way) => way.name))}`)
}

/** The limit below which times and numbers of hours have to be. */
const longest = 1e9

function seconds(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value < longest) return value
  throw new UsageError(`${option} ${text}: a number from 0 and below ${longest} is needed, e.g. 0.5`)
}

async function itemsIn(path: string, epoch: number) {
  const items: { key: string; bytes: number; expires: number }[] = []
  for await (const { key, size, expires } of listedItems(path))
    items.push({
      key,
      bytes: size,
      expires: expires === undefined ? Number.POSITIVE_INFINITY : expires - epoch,
    })
  return items
}
