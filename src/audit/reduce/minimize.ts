/** The smallest part of a list that still has a property: delta debugging (Zeller and Hildebrandt, 2002), then one by one. No I/O. */

/**
 * @param all in their order @param shows whether a part still has the property; called once for each part
 * @returns a part from which no single element can be left out; the whole list when it does not have the property
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
