/** The fewest of some things that still show something: delta debugging (Zeller and Hildebrandt, 2002), then one by one. No I/O of its own. */

/**
 * @param all in their order @param shows whether a part of them still does; asked again only for parts that were not asked for
 * @returns a part from which nothing can be left out alone; all of them when even all do not show it
 */
export async function minimize<T>(
  all: readonly T[],
  shows: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let kept = all
  for (let parts = 2; kept.length > 0; ) {
    const size = Math.max(1, Math.ceil(kept.length / parts))
    let smaller: readonly T[] | undefined
    for (let from = 0; from < kept.length && !smaller; from += size) {
      const without = [...kept.slice(0, from), ...kept.slice(from + size)]
      if (await shows(without)) smaller = without
    }
    if (smaller) {
      kept = smaller
      parts = Math.max(2, parts - 1)
    } else if (size === 1) break
    else parts = Math.min(kept.length, parts * 2)
  }
  return kept
}
