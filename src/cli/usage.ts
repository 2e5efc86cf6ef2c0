import { type Command, InvalidArgumentError } from 'commander'

/** An error in the command line: one line that says how to correct it. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** `"a, b"`, for messages. */
export function listed(names: readonly string[]): string {
  return names.join(', ')
}

/** `a,b,c` given once or several times. @throws InvalidArgumentError when it names nothing */
export function commaList(value: string, earlier: readonly string[] | undefined): string[] {
  const names = value.split(',').map((name) => name.trim())
  const given = names.filter((name) => name !== '')
  if (given.length === 0) throw new InvalidArgumentError('It names nothing.')
  return [...(earlier ?? []), ...given]
}

/** Whether the user typed this option, and not only a file of options has it. @param name its attribute, such as `maxValues` */
export function isTyped(command: Command, name: string): boolean {
  return command.getOptionValueSource(name) === 'cli'
}

/**
 * A typed option that would do nothing is a mistake. One of a file of options is for other calls of the command.
 * @param names attributes @param reason continues the sentence that begins with the option @throws UsageError
 */
export function refuseIdle(command: Command, names: readonly string[], reason: string): void {
  for (const option of command.options)
    if (names.includes(option.attributeName()) && isTyped(command, option.attributeName()))
      throw new UsageError(`${option.long} ${reason}`)
}
