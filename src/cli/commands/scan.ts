/** `memshim scan`: the items that are stored on the servers now. */
import { Command } from 'commander'
import { exitCodes } from '../../audit/index.js'
import { renderScan, ScanError, type ScanOptions, type ScanReport, scan } from '../../scan/index.js'
import { forTerminal } from '../for-terminal.js'
import { overwriting } from '../progress.js'
import { addresses, type TlsFlags, tlsOf, tlsOptions } from '../servers.js'
import { commaList, isTyped, refuseIdle, UsageError } from '../usage.js'

interface Flags extends TlsFlags {
  readonly servers?: string[]
  readonly rate: string
  readonly sample: string
  readonly maxValues: string
  readonly get: boolean
  readonly timeout: string
  readonly top: string
  readonly json?: boolean
}

export function scanCommand(): Command {
  const command = new Command('scan')
    .description(
      'List the stored items by prefix: the libraries that wrote them, those that cannot read them, risky keys and sizes.',
    )
    .argument('[listings...]', 'saved listings (lru_crawler metadump all; plain or .gz) instead of servers')
    .option('--servers <list>', 'servers in the application’s order: host:port[:weight],…', commaList)
    .option('--rate <items>', 'largest number of items per second and server; 0 = no limit', '100000')
    .option('--sample <n>', 'number of values that are read for each prefix and flags; 0 = none', '6')
    .option('--max-values <n>', 'largest number of values that are read from one server', '2000')
    .option(
      '--no-get',
      'read no values from servers that only have get, which counts as a use (before memcached 1.6)',
    )
    .option('--timeout <ms>', 'limit for connecting and for each answer', '10000')
    .option('--top <n>', 'number of prefixes that are shown', '20')
    .option('--json', 'print the report as JSON')
  return tlsOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ memshim scan --servers 10.0.0.1:11211,10.0.0.2:11211
  $ memshim scan --servers cache:11211 --rate 20000 --json > scan.json
  $ memshim scan monday.metadump.gz

A listing to save: printf 'lru_crawler metadump all\\r\\n' | nc -w 5 cache 11211 > monday.metadump
Exit codes: 0 every server was scanned; 2 bad usage, or a server could not be scanned (the others are in the report).
What it does to a server: docs/tools/scan.md.`,
    )
    .action(run)
}

/** The attributes of the options that only concern servers. */
const ofServers = ['rate', 'sample', 'maxValues', 'get', 'timeout', 'tls', 'tlsCa', 'tlsInsecure']

async function run(files: string[], flags: Flags, command: Command): Promise<void> {
  const terminal = process.stderr.isTTY
  // Listings are typed; servers of a file of options are for other calls.
  const servers = files.length > 0 && !isTyped(command, 'servers') ? undefined : flags.servers
  if ((servers !== undefined) === files.length > 0)
    throw new UsageError('name servers with --servers, or files with listings, one of the two')
  if (servers) addresses('--servers', servers)
  else refuseIdle(command, ofServers, 'is about servers, and listings are given')
  const tls = await tlsOf(flags)
  const top = whole('--top', flags.top)
  if (flags.json) refuseIdle(command, ['top'], 'is about the text: --json has every prefix')
  let shown = 0
  const options: ScanOptions = {
    ...(servers ? { servers } : {}),
    ...(files.length > 0 ? { files } : {}),
    rate: whole('--rate', flags.rate),
    sample: whole('--sample', flags.sample),
    maxValues: whole('--max-values', flags.maxValues),
    timeout: whole('--timeout', flags.timeout, 1),
    get: flags.get,
    ...(tls ? { tls } : {}),
    onProgress: (items, server) => {
      if (!terminal || Date.now() - shown < 200) return
      shown = Date.now()
      process.stderr.write(overwriting(`${server}: ${items.toLocaleString('en')} items`, process.stderr))
    },
  }
  let report: ScanReport
  try {
    report = await scan(options)
  } catch (error) {
    throw servers && error instanceof ScanError
      ? new UsageError(`${error.message} (${advice(servers)})`)
      : error
  }
  if (terminal) process.stderr.write('\r\x1b[K')
  process.stdout.write(
    flags.json ? `${JSON.stringify(report, null, 2)}\n` : forTerminal(renderScan(report, top)),
  )
  const unscanned = report.servers.filter(({ problem }) => problem !== undefined).map(({ server }) => server)
  if (unscanned.length === 0) return
  if (servers) process.stderr.write(`memshim: ${advice(unscanned)}\n`)
  process.exitCode = exitCodes.usage
}

function advice(servers: readonly string[]): string {
  return `memshim doctor --servers ${servers.join(',')} says what is there`
}

function whole(option: string, text: string, least = 0): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text)
  throw new UsageError(`${option} ${text}: a whole number from ${least} to 999999999 is needed`)
}
