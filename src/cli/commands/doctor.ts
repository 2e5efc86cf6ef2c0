/** `memshim doctor`: the kind of each server, and the commands of an application that it would refuse. */
import { Command } from 'commander'
import { exitCodes, expandPatterns, readTraces } from '../../audit/index.js'
import { doctor, renderDoctor, usedCommands } from '../../doctor/index.js'
import { forTerminal } from '../for-terminal.js'
import { addresses, type TlsFlags, tlsOf, tlsOptions } from '../servers.js'
import { commaList, refuseIdle, UsageError } from '../usage.js'

interface Flags extends TlsFlags {
  readonly oneApplication?: boolean
  readonly servers?: string[]
  readonly trace?: string[]
  readonly timeout: string
  readonly json?: boolean
}

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .description(
      'Examine servers: kind, version, limits, latency, protocols, and commands that they would refuse.',
    )
    .requiredOption('--servers <list>', 'servers: host:port,…', commaList)
    .option(
      '--trace <list>',
      'traces of the application, to list the commands that would be refused',
      commaList,
    )
    .option('--one-application', 'the traces belong to one application, also if their headers differ')
    .option('--timeout <ms>', 'limit for connecting and for each answer', '3000')
    .option('--json', 'print the report as JSON')
  return tlsOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ memshim doctor --servers 10.0.0.1:11211,10.0.0.2:11211
  $ memshim doctor --servers cache.example.com:11211 --tls --trace app.jsonl
  $ memshim doctor --servers cache:11211 --json

The command sends version, stats, mn, a binary noop, watch, and gat, touch and get of a key that does not exist. It changes nothing.
Exit codes: 0 no problem, 1 a problem was found, 2 bad usage.`,
    )
    .action(run)
}

async function run(flags: Flags, command: Command): Promise<void> {
  if (!/^[1-9]\d{0,6}$/.test(flags.timeout))
    throw new UsageError(`--timeout ${flags.timeout}: a number of milliseconds from 1 is needed`)
  if (!flags.trace) refuseIdle(command, ['oneApplication'], 'is about --trace, and none is named')
  const servers = flags.servers ?? []
  addresses('--servers', servers)
  const tls = await tlsOf(flags)
  const trace = flags.trace && (await readTraces(await expandPatterns(flags.trace), flags))
  const report = await doctor({
    servers,
    timeout: Number(flags.timeout),
    ...(tls ? { tls } : {}),
    ...(trace ? { used: await usedCommands(trace) } : {}),
  })
  process.stdout.write(
    flags.json ? `${JSON.stringify(report, null, 2)}\n` : forTerminal(renderDoctor(report)),
  )
  if (report.servers.some(({ findings }) => findings.some(({ level }) => level === 'problem')))
    process.exitCode = exitCodes.found
}
