/** Versions of frameworks, such as `5.2.19`. Frameworks change keys and signatures in minor and in security releases. */
import { checkText, shown } from '../ground/arguments.js'
import { ValueError } from '../python/errors.js'

/**
 * Whether a version has a change.
 * @param argument the option's name, for errors
 * @param first the first version of each line of releases that has the change, in rising order; every version after the last one has it
 * @throws TypeError when the version is missing or not text, ValueError when it is not a version
 */
export function hasChange(argument: string, version: string | undefined, first: readonly string[]): boolean {
  const own = numbers(argument, version)
  const starts = first.map((start) => numbers(argument, start))
  if (isAtLeast(own, starts.at(-1)!)) return true
  return starts.some((start) => start[0] === own[0] && start[1] === own[1] && isAtLeast(own, start))
}

function numbers(argument: string, version: string | undefined): readonly number[] {
  if (version === undefined)
    throw new TypeError(
      `${argument} is missing: name the version that the Python side runs, such as "5.2.19", because versions differ in their keys`,
    )
  checkText(argument, version)
  if (!/^\d{1,4}(\.\d{1,4}){1,3}$/.test(version))
    throw new ValueError(`${argument} is ${shown(version)}, not a version such as "5.2.19"`)
  return version.split('.').map(Number)
}

function isAtLeast(version: readonly number[], other: readonly number[]): boolean {
  for (const [index, part] of other.entries()) {
    const own = version[index] ?? 0
    if (own !== part) return own > part
  }
  return true
}
