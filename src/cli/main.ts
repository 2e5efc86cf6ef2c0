#!/usr/bin/env node
/** The `memshim` command: subcommands, and the one place that turns errors into messages and exit codes. */
import { Command, CommanderError } from 'commander'
import { AuditOptionsError, exitCodes, memshimVersion, TraceError } from '../audit/index.js'
import { DoctorError } from '../doctor/index.js'
import { CaptureError, RecordError } from '../record/index.js'
import { ListingError, ScanError } from '../scan/index.js'
import { MemcachedError } from '../strict/index.js'
import { TransportError } from '../transport/errors.js'
import { auditCommand } from './audit.js'
import { doctorCommand } from './doctor.js'
import { inspectCommand } from './inspect.js'
import { parityCommand } from './parity.js'
import { planCommand } from './plan.js'
import { recordCommand } from './record.js'
import { scanCommand } from './scan.js'
import { switchesCommand } from './switches.js'
import { UsageError } from './usage.js'
import { whereCommand } from './where.js'

const program = new Command('memshim')
  .description(
    'memcached for teams leaving python-memcached: what changes with pylibmc, and where the keys go.',
  )
  .version(memshimVersion(), '-V, --version')
  .addHelpText(
    'after',
    `
Examples:
  $ tcpdump -i any -s 0 -U -w - 'tcp port 11211' | memshim record - --out app.jsonl.gz
  $ memshim audit app.jsonl --html report.html
  $ memshim audit app.jsonl.gz --fail-on unexplained
  $ memshim plan app.jsonl
  $ memshim where user:1 user:2 --servers 10.0.0.1:11211,10.0.0.2:11211
  $ memshim switches

Exit codes: 0 fine, 1 something named by --fail-on was found, 2 bad usage or input.`,
  )
  .showHelpAfterError('(memshim --help shows what there is)')
  .exitOverride()

for (const command of [
  recordCommand(),
  scanCommand(),
  doctorCommand(),
  auditCommand(),
  planCommand(),
  whereCommand(),
  switchesCommand(),
  inspectCommand(),
  parityCommand(),
]) {
  program.addCommand(
    command.exitOverride().showHelpAfterError(`(memshim ${command.name()} --help shows what there is)`),
  )
}

// A reader that has seen enough (`memshim switches | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
  throw error
})

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = explain(error)
}

/** Control characters would move the cursor; they are shown as escapes. Line breaks stay. */
function printable(text: string): string {
  return text.replace(
    /[\x00-\x09\x0b-\x1f\x7f-\x9f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  const known = [
    UsageError,
    TraceError,
    AuditOptionsError,
    MemcachedError,
    CaptureError,
    RecordError,
    ListingError,
    ScanError,
    DoctorError,
    TransportError,
  ].some((kind) => error instanceof kind)
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`memshim: ${printable(message)}\n`)
  if (!known && process.env.MEMSHIM_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  else if (!known) process.stderr.write('(this is unexpected; MEMSHIM_DEBUG=1 shows where it happened)\n')
  return exitCodes.usage
}
