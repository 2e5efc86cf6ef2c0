/** Python refuses keywords that it does not know; so do the constructors here. */

/** @throws TypeError naming the option and the known ones */
export function checkOptions(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object')
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new TypeError(`unexpected option '${unknown}'; there are ${known.join(', ')}`)
}
