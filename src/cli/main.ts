#!/usr/bin/env node
/** The `memshim` command: runs the subcommands, and turns errors into messages and exit codes. */
import { CommanderError } from 'commander'
import { AuditOptionsError, exitCodes, TraceError } from '../audit/index.js'
import { DoctorError } from '../doctor/index.js'
import { ValueError } from '../python/errors.js'
import { CaptureError, RecordError } from '../record/index.js'
import { ListingError, ScanError } from '../scan/index.js'
import { MemcachedError } from '../strict/index.js'
import { TransportError } from '../transport/errors.js'
import { configured } from './config.js'
import { memshimProgram } from './program.js'
import { UsageError } from './usage.js'

const program = memshimProgram()

// A reader that closes the pipe early (`memshim switches | head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
  throw error
})

try {
  await program.parseAsync(await configured(program, process.argv.slice(2), process.env), { from: 'user' })
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
    // For example a key that is too long.
    ValueError,
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
  else if (!known) process.stderr.write('(this error is unexpected; MEMSHIM_DEBUG=1 shows the stack)\n')
  return exitCodes.usage
}
