/** A value in an error message that names the types of Python (`ground/arguments.ts` has those of JavaScript): short, and never throws. */
import { typeName } from './type-name.js'

const LONGEST = 80

/** Text in quotes; numbers, booleans and symbols as JavaScript writes them; everything else by its type. */
export function shownAsPython(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `'${value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value}'`
    case 'bigint': {
      const text = value > -(2n ** 200n) && value < 2n ** 200n ? String(value) : 'a number of over 200 bits'
      return text
    }
    case 'number':
    case 'boolean':
    case 'symbol':
    case 'undefined':
      return String(value)
    default:
      return value === null ? 'null' : `a value of type ${typeName(value)}`
  }
}
