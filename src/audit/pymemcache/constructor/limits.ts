/**
 * Constructor arguments that a client of pymemcache compares with times and counts when it uses them, also those of wrong types. Source:
 * docs/reference/pymemcache.md#2.5.
 */
import { Uncomparable } from '../../../pymemcache/options.js'
import { typeName } from '../../../python/type-name.js'
import { fromTypedJson, PyFloat, type TypedJson } from '../../../values/index.js'

/** What is compared, in Python's words: the operator, and the types of both sides. */
const comparisons: Readonly<Record<string, (type: string) => string>> = {
  retry_attempts: (type) => `'>' not supported between instances of '${type}' and 'int'`,
  retry_timeout: (type) => `'>' not supported between instances of 'float' and '${type}'`,
  dead_timeout: (type) => `'>' not supported between instances of 'float' and '${type}'`,
  pool_idle_timeout: (type) => `'<=' not supported between instances of 'float' and '${type}'`,
}

/** By pymemcache's names. The clients only compare them, which a value of a wrong type refuses. */
export type Limits = Readonly<Record<string, number>>

/** The limits among the arguments of a constructor, with the effect that they have in Python. @param kwargs by pymemcache's names */
export function limitsOf(kwargs: Readonly<Record<string, TypedJson>>): Limits {
  const isPoolOfOwn = !('use_pooling' in kwargs) || fromTypedJson(kwargs.use_pooling!) === true
  const found: Record<string, number> = {}
  for (const [name, words] of Object.entries(comparisons)) {
    // A HashClient passes its limit to pools only if use_pooling is True itself, and not another true value.
    if (!(name in kwargs) || (name === 'pool_idle_timeout' && !isPoolOfOwn)) continue
    const value = fromTypedJson(kwargs[name]!)
    found[name] =
      numberOf(value) ?? (new Uncomparable(new TypeError(words(typeName(value)))) as unknown as number)
  }
  return found
}

/** The error of each comparison with a limit; undefined for a number. */
export function comparisonError(limit: unknown): Error | undefined {
  return limit instanceof Uncomparable ? limit.error : undefined
}

function numberOf(value: unknown): number | undefined {
  if (value instanceof PyFloat) return value.value
  const isNumber = typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
  return isNumber ? Number(value) : undefined
}
