/** Arguments of the hashing functions that come from outside, checked before anything is made of them. */
import { shown } from '../python/type-name.js'

/** @throws RangeError naming the argument and the known names */
export function named<T>(argument: string, table: Readonly<Record<string, T>>, name: unknown): T {
  if (typeof name === 'string' && Object.hasOwn(table, name)) return table[name]!
  throw new RangeError(`${argument} ${shown(name)} is not one of ${Object.keys(table).join(', ')}`)
}
