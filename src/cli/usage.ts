import { InvalidArgumentError } from 'commander'

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
