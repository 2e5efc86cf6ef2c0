/** Checks of arguments of users: each error names the argument and the given value. */

/** A value in a message: at most one line, and never throws. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (value === null) return 'null'
  if (typeof value === 'bigint')
    return BigInt.asIntN(256, value) === value ? String(value) : 'a number of over 256 bits'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}

/** @throws TypeError when it is not text */
export function checkText(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${name} is ${shown(value)}, not text`)
}

/** @throws TypeError when it is not an array of text */
export function checkTexts(name: string, value: unknown): asserts value is readonly string[] {
  checkArray(name, value)
  for (let index = 0; index < value.length; index++) checkText(`${name}[${index}]`, value[index])
}

/** @throws TypeError when it is not a number, or NaN */
export function checkNumber(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number' || Number.isNaN(value))
    throw new TypeError(`${name} is ${shown(value)}, not a number`)
}

/** @throws TypeError when it is not a Uint8Array (a Buffer is one) */
export function checkBytes(name: string, value: unknown): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name} is ${shown(value)}, not a Uint8Array`)
}

/** @throws TypeError when it is not an object, or an array */
export function checkObject(name: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${name} is ${shown(value)}, not an object`)
}

/** @throws TypeError for a value that is not an object or lacks one of these fields, so that `maker` cannot have returned it */
export function checkMade(name: string, value: unknown, maker: string, fields: readonly string[]): void {
  checkObject(name, value)
  const missing = fields.find((field) => !Object.hasOwn(value, field))
  if (missing !== undefined)
    throw new TypeError(`${name} has no ${missing}: it must be what ${maker} returns`)
}

/** @throws TypeError when it is not true or false */
export function checkBoolean(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${name} is ${shown(value)}, neither true nor false`)
}

/** @throws TypeError when it is not a function */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`${name} is ${shown(value)}, not a function`)
}

/** @throws TypeError when it is not an array */
export function checkArray(name: string, value: unknown): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${name} is ${shown(value)}, not an array`)
}

/** @throws TypeError when `for … of` cannot go through it */
export function checkIterable(name: string, value: unknown): asserts value is Iterable<unknown> {
  const iterable =
    typeof value === 'string' || (typeof value === 'object' && value !== null && Symbol.iterator in value)
  if (!iterable) throw new TypeError(`${name} is ${shown(value)}, which cannot be iterated`)
}

/** @throws RangeError naming the argument and the known names */
export function named<T>(argument: string, table: Readonly<Record<string, T>>, name: unknown): T {
  if (typeof name === 'string' && Object.hasOwn(table, name)) return table[name]!
  throw new RangeError(`${argument} ${shown(name)} is not one of ${Object.keys(table).join(', ')}`)
}
