/** Python refuses keywords that it does not know; so do the constructors here. */

/** @throws TypeError naming the option and the known ones */
export function checkOptions(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object')
  const unknown = Reflect.ownKeys(options).find((name) => typeof name === 'symbol' || !known.includes(name))
  if (unknown !== undefined)
    throw new TypeError(`unexpected option '${String(unknown)}'; there are ${known.join(', ')}`)
}
