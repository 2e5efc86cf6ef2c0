/** Checks of option names: constructors and calls refuse unknown names, as Python refuses unknown keywords. */
import { checkObject } from '../ground/arguments.js'
import { shownAsPython } from './shown.js'
import { typeName } from './type-name.js'

/** Names of other libraries, in lower case and without underscores, with their names in memshim. */
const aliases: Readonly<Record<string, string>> = {
  ttl: 'time',
  exptime: 'time',
  expire: 'time',
  expires: 'time',
  expiry: 'time',
  expiration: 'time',
  lifetime: 'time',
  prefix: 'keyPrefix',
  abortsignal: 'signal',
  deadline: 'timeout',
  by: 'delta',
  amount: 'delta',
}

/**
 * A copy of an options object with its own properties only, so that nothing is read from a prototype.
 * @throws TypeError when it is not a plain object, or has an unknown name: the message has the right name if it can be guessed
 */
export function ownOptions<O extends object>(options: O, known: readonly string[]): O {
  if (!isPlain(options)) throw new TypeError(`options must be a plain object, not ${className(options)}`)
  const unknown = unknownOption(options, known)
  if (unknown !== undefined) throw new TypeError(unknown)
  return { __proto__: null, ...options } as O
}

/** A sentence about the first option that is not known, with the right name if it can be guessed; undefined when all are known. */
export function unknownOption(options: object, known: readonly string[]): string | undefined {
  for (const name of Reflect.ownKeys(options)) {
    if (typeof name !== 'string' || !known.includes(name))
      return `unexpected option ${shownAsPython(name)}; ${hint(name, known)}`
  }
  return undefined
}

/** @throws TypeError when it is not an object, or has an unknown option */
export function checkOptionNames(options: object, known: readonly string[]): void {
  checkObject('options', options)
  const unknown = unknownOption(options, known)
  if (unknown !== undefined) throw new TypeError(unknown)
}

/** An object literal, one without a prototype, or the like from another realm. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function hint(name: string | symbol, known: readonly string[]): string {
  const meant = typeof name === 'string' ? guess(name, known) : undefined
  return meant === undefined ? `there are ${known.join(', ')}` : `it is called '${meant}' here`
}

function guess(name: string, known: readonly string[]): string | undefined {
  const bare = (text: string) => text.replaceAll('_', '').toLowerCase()
  const same = known.find((each) => bare(each) === bare(name))
  if (same !== undefined) return same
  const alias = Object.hasOwn(aliases, bare(name)) ? aliases[bare(name)] : undefined
  return alias !== undefined && known.includes(alias) ? alias : undefined
}

function className(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return typeName(value)
  const { constructor } = value as { constructor?: unknown }
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : typeName(value)
}
