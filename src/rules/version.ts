/** The one comparison of version numbers, number by number: 1.9 before 1.10. */

/** Is a version this one or a later one? */
export function versionAtLeast(version: string, least: string): boolean {
  const [a, b] = [version.split('.').map(Number), least.split('.').map(Number)]
  for (const [i, wanted] of b.entries()) {
    const have = a[i] ?? 0
    if (have !== wanted) return have > wanted
  }
  return true
}

/** What is so from a version on, until the next version that is named. */
export type History<T = unknown> = Readonly<Record<string, T>>

/** What a history says of a version: the entry of the newest version that is not newer. @throws RangeError before the first entry */
export function valueAt<T>(history: History<T>, version: string): T {
  let found: string | undefined
  for (const since of Object.keys(history))
    if (versionAtLeast(version, since) && (found === undefined || versionAtLeast(since, found))) found = since
  if (found === undefined) throw new RangeError(`nothing is known of version ${version}`)
  return history[found]!
}
