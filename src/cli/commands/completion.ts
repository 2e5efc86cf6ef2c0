/** `memshim completion`: a script with which a shell completes commands and options. It is generated from the commands. */
import { Command, type Option } from 'commander'
import { listed, UsageError } from '../usage.js'

const shells: Readonly<Record<string, (program: Command) => string>> = { bash, zsh, fish }

/** @param program called when the command runs, because the command is part of the program */
export function completionCommand(program: () => Command): Command {
  return new Command('completion')
    .description('Print a script that completes commands and options in bash, zsh or fish.')
    .argument('<shell>', listed(Object.keys(shells)))
    .addHelpText(
      'after',
      `
Examples:
  $ source <(memshim completion bash)                                  (in ~/.bashrc)
  $ source <(memshim completion zsh)                                   (in ~/.zshrc, behind compinit)
  $ memshim completion fish > ~/.config/fish/completions/memshim.fish

Exit codes: 0 printed, 2 there is no such shell here.`,
    )
    .action((shell: string) => {
      const script = Object.hasOwn(shells, shell) ? shells[shell] : undefined
      if (!script)
        throw new UsageError(
          `there is no completion for ${shell}: choose one of ${listed(Object.keys(shells))}`,
        )
      process.stdout.write(script(program()))
    })
}

function flagsOf({ options }: Command): readonly string[] {
  return [...options.flatMap(({ long }) => long ?? []), '--help']
}

/** Options with a value, which may be a file. */
function valued({ options }: Command): readonly Option[] {
  return options.filter(({ required, optional }) => required || optional)
}

function bash(program: Command): string {
  const cases = program.commands.map(
    (command) =>
      `    ${command.name()}) flags='${flagsOf(command).join(' ')}'; valued='${valued(command)
        .map(({ long }) => long)
        .join(' ')}' ;;`,
  )
  return `# bash completion of memshim: source <(memshim completion bash)
_memshim() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} flags='' valued=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${program.commands.map((command) => command.name()).join(' ')} help --help --version --config --no-config' -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif [[ " $valued " == *" $before "* || -n $flags ]]; then
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _memshim memshim
`
}

function zsh(program: Command): string {
  const named = program.commands.map(
    (command) => `    ${quoted(`${command.name()}:${command.description()}`)}`,
  )
  const cases = program.commands.map(
    (command) =>
      `      ${command.name()}) _arguments ${command.options.map(zshOption).join(' ')} '*:file:_files' ;;`,
  )
  return `#compdef memshim
# zsh completion of memshim: source <(memshim completion zsh)
_memshim() {
  local -a commands
  commands=(
${named.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
  else
    case $words[2] in
${cases.join('\n')}
    esac
  fi
}
compdef _memshim memshim
`
}

function zshOption({ long = '', description, required, optional }: Option): string {
  // Brackets and colons have a meaning in zsh.
  const text = description.replace(/[[\]:\\]/g, '\\$&')
  return quoted(
    `${required || optional ? '*' : ''}${long}[${text}]${required || optional ? ':value:_files' : ''}`,
  )
}

function fish(program: Command): string {
  const names = program.commands.map((command) => command.name())
  const lines = program.commands.flatMap((command) => [
    `complete -c memshim -n '__fish_use_subcommand' -f -a ${command.name()} -d ${fishQuoted(command.description())}`,
    ...command.options.map(
      ({ long = '', description, required, optional }) =>
        `complete -c memshim -n '__fish_seen_subcommand_from ${command.name()}' -l ${long.slice(2)} ${required || optional ? '-r ' : ''}-d ${fishQuoted(description)}`,
    ),
  ])
  return `# fish completion of memshim (${names.length} commands)\n${lines.join('\n')}\n`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`
}
