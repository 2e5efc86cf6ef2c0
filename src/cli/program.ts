/** The program `memshim` with all its commands. */
import { Command } from 'commander'
import { memshimVersion } from '../audit/index.js'
import { auditCommand } from './commands/audit.js'
import { completionCommand } from './commands/completion.js'
import { doctorCommand } from './commands/doctor.js'
import { inspectCommand } from './commands/inspect.js'
import { parityCommand } from './commands/parity.js'
import { planCommand } from './commands/plan.js'
import { recordCommand } from './commands/record.js'
import { scanCommand } from './commands/scan.js'
import { switchesCommand } from './commands/switches.js'
import { whereCommand } from './commands/where.js'

export function memshimProgram(): Command {
  const program = new Command('memshim')
    .description(
      'memcached for teams that leave python-memcached: differences between the libraries, and placement of keys.',
    )
    .version(memshimVersion(), '-V, --version')
    .option('--config <file>', 'read options from this file; default: memshim.config.json, if it exists')
    .option('--no-config', 'read no options from a file')
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
  $ source <(memshim completion bash)

Options that are always the same can stand in memshim.config.json: {"servers": ["10.0.0.1:11211"], "scan": {"rate": 20000}}.
Another file: --config FILE before the command, or MEMSHIM_CONFIG; --no-config reads no file.

Exit codes: 0 fine, 1 something named by --fail-on was found, 2 bad usage or input.`,
    )
    .showHelpAfterError('(memshim --help lists the commands)')
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
    completionCommand(() => program),
  ]) {
    program.addCommand(
      command.exitOverride().showHelpAfterError(`(memshim ${command.name()} --help lists the options)`),
    )
  }
  return program
}
