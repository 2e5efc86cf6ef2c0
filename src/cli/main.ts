#!/usr/bin/env node
/** The `memshim` command. */
import { fileReason } from '../ground/file-error.js'
import { configured, markFromFile } from './config.js'
import { explain } from './explain.js'
import { memshimProgram } from './program.js'
import { UsageError } from './usage.js'

const program = memshimProgram()

// A reader that closes the pipe early (`memshim switches | head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
  process.exit(explain(new UsageError(`standard output cannot be written: ${fileReason(error)}`)))
})

try {
  const { words, fromFile } = await configured(program, process.argv.slice(2), process.env)
  markFromFile(program, fromFile)
  await program.parseAsync(words, { from: 'user' })
} catch (error) {
  process.exitCode = explain(error)
}
