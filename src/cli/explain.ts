/** The message of an error for the user, in one line, and the exit code. */

import { CommanderError } from 'commander'
import { AuditOptionsError, exitCodes, TraceError } from '../audit/index.js'
import { DoctorError } from '../doctor/index.js'
import { printable } from '../ground/printable.js'
import { ValueError } from '../python/errors.js'
import { CaptureError, RecordError } from '../record/index.js'
import { ListingError, ScanError } from '../scan/index.js'
import { MemcachedError } from '../strict/index.js'
import { TransportError } from '../transport/errors.js'
import { UsageError } from './usage.js'

/** The options of the command line for options of the library. A name that is not listed is the library's name with dashes. */
const flags: Readonly<Record<string, string>> = {
  behaviors: 'behavior',
  targetOptions: 'option',
  finding: 'reduce',
  serverVersion: 'server-version',
  negativeTimeout: 'negative-timeout',
  ...Object.fromEntries(
    ['to', 'from', 'preset', 'embedded', 'servers', 'binary', 'framework', 'sample', 'threads', 'begin'].map(
      (name) => [name, name],
    ),
  ),
}

/** The exit code that shells give a command that Ctrl-C has ended. */
const interrupted = 130

/** Line breaks stay. */
const controls = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/g

/** The library's errors begin with the name of its option; the user typed the name with dashes. */
function withFlag(message: string): string {
  return message.replace(/^(\w+)(?=[ :])/, (word) => (Object.hasOwn(flags, word) ? `--${flags[word]}` : word))
}

/** Writes the error to standard error. @returns the exit code */
export function explain(error: unknown): number {
  if (error instanceof Error && error.name === 'AbortError') return interrupted
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
  const message = withFlag(error instanceof Error ? error.message : String(error))
  process.stderr.write(`memshim: ${printable(message, controls)}\n`)
  if (!known && process.env.MEMSHIM_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  else if (!known) process.stderr.write('(this error is unexpected; MEMSHIM_DEBUG=1 shows the stack)\n')
  return exitCodes.usage
}
