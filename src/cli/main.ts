#!/usr/bin/env node
/** The `memshim` command. */
import { configured } from './config.js'
import { explain } from './explain.js'
import { memshimProgram } from './program.js'

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
