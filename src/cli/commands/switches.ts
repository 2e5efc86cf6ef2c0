/** `memshim switches`: the compat client's table of switches, which the audit uses for its explanations. */
import { Command } from 'commander'
import { knownPresets, knownSwitches } from '../../audit/index.js'
import { forTerminal } from '../for-terminal.js'
import { UsageError } from '../usage.js'

export function switchesCommand(): Command {
  return new Command('switches')
    .description('List the behaviours of python-memcached that have a switch.')
    .argument('[name]', 'only this switch')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ memshim switches\n  $ memshim switches missing-counter\n  $ memshim switches --json\n\nExit codes: 0 success, 2 there is no such switch.',
    )
    .action((name: string | undefined, flags: { readonly json?: boolean }) => {
      const all = knownSwitches()
      const chosen = name === undefined ? all : all.filter((info) => info.name === name)
      if (chosen.length === 0) {
        throw new UsageError(
          `there is no switch ${name}: choose one of ${all.map((info) => info.name).join(', ')}`,
        )
      }
      if (flags.json) process.stdout.write(`${JSON.stringify(chosen, null, 2)}\n`)
      else
        process.stdout.write(
          forTerminal(`${chosen.map(described).join('\n')}\nPresets: ${knownPresets().join(', ')}\n`),
        )
    })
}

function described(info: ReturnType<typeof knownSwitches>[number]): string {
  return [
    `${info.name}: ${info.title}`,
    `  python-memcached  ${info.pythonMemcached}`,
    `  pylibmc           ${info.pylibmc}`,
    `  advice            ${info.advice}`,
    ...(info.docs === undefined ? [] : [`  docs              docs/${info.docs}`]),
    '',
  ].join('\n')
}
