/** The one comparison of version numbers, number by number: 1.9 before 1.10. */

/** Negative, 0 or positive, as for `sort`. A missing number counts as 0. */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [numbersOf(one), numbersOf(other)]
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** The numbers of versions that were parsed before: there are few versions, and an audit needs them at every call. */
const known = new Map<string, readonly number[]>()
const mostKnown = 1000

function numbersOf(version: string): readonly number[] {
  let numbers = known.get(version)
  if (!numbers) {
    numbers = version.split('.').map(Number)
    if (known.size < mostKnown) known.set(version, numbers)
  }
  return numbers
}

/** Is a version this one or a later one? */
export function versionAtLeast(version: string, least: string): boolean {
  return compareVersions(version, least) >= 0
}

/** Values that hold from a version on, until the next version that is named. */
export type History<T = unknown> = Readonly<Record<string, T>>

/** The value of a history for a version: the entry of the newest version that is not newer. @throws RangeError before the first entry */
export function valueAt<T>(history: History<T>, version: string): T {
  let found: string | undefined
  for (const since of Object.keys(history))
    if (versionAtLeast(version, since) && (found === undefined || versionAtLeast(since, found))) found = since
  if (found === undefined) throw new RangeError(`nothing is known of version ${version}`)
  return history[found]!
}
