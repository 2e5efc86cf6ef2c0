/**
 * Keys, times and memoize versions of Flask-Caching's MemcachedCache, and of cachelib, which it is made of.
 * Source: fixtures/vectors/frameworks.json and framework-values.json (Flask-Caching 2.3, cachelib 0.13).
 */
import { createHash, randomBytes } from 'node:crypto'
import { checkArray, checkNumber, checkObject, checkText } from '../ground/arguments.js'

/** The keys that Flask-Caching sends: other keys are always missing. */
const SENT = /^[^\x00-\x21\xff]{1,250}$/u

/**
 * The key as it is sent, undefined when Flask-Caching sends nothing and takes it for a miss.
 * @param keyPrefix `CACHE_KEY_PREFIX`
 * @throws TypeError when one is not text
 */
export function flaskCachingKey(key: string, keyPrefix = ''): string | undefined {
  checkText('key', key)
  checkText('keyPrefix', keyPrefix)
  const made = `${keyPrefix}${key}`
  return SENT.test(made) ? made : undefined
}

/**
 * The time that goes out for a timeout in seconds: always a date, except 0 (never expires) and negative ones.
 * @param now Unix time in seconds
 * @throws TypeError when one is not a number
 */
export function flaskCachingTime(timeout: number, now: number = Date.now() / 1000): number {
  checkNumber('timeout', timeout)
  checkNumber('now', now)
  const seconds = Math.ceil(timeout)
  return seconds > 0 ? Math.trunc(now) + seconds : seconds
}

/** Key of a cached view, `@cache.cached()`: `view/` and the path. @param keyPrefix of the decorator @throws TypeError */
export function flaskCachingViewKey(path: string, keyPrefix = 'view/'): string {
  checkText('path', path)
  checkText('keyPrefix', keyPrefix)
  return `${keyPrefix}${path}`
}

/** A function with the decorator `@cache.memoize()`. */
export interface MemoizedFunction {
  /** `__module__`. */
  readonly module: string
  /** `__qualname__`: `price`, `Shop.price`. */
  readonly name: string
  /** The result of repr() or `__caching_id__` for the instance of a method. */
  readonly instance?: string
}

/**
 * Keys of the versions that a function's results are stored under: one, and for a method one more for the instance. Their values, one after
 * the other, are the version that `flaskMemoizeKey` needs; to forget all results, store a new one (`flaskMemoizeVersion`) under the last.
 * @throws TypeError for other types
 */
export function flaskMemoizeVersionKeys(called: MemoizedFunction): string[] {
  const { module, name, instance } = checked(called)
  const keys = [`${module}.${name}_memver`]
  if (instance !== undefined) keys.push(`${module}.${name}.${instance}_memver`)
  return keys
}

/** A new version of memoized results: six characters at random. */
export function flaskMemoizeVersion(): string {
  return randomBytes(16).toString('base64').slice(0, 6)
}

/**
 * Key of a memoized result.
 * @param args all arguments in the order of the function's parameters, defaults filled in, as Python's repr() shows them; of a method the first
 *   is the instance's representation as text, `"'<Shop 1>'"`
 * @param version the values of `flaskMemoizeVersionKeys`, one after the other
 * @param kwargs the values of `**kwargs`, each as Python's repr()
 * @throws TypeError for other types
 */
export function flaskMemoizeKey(
  called: MemoizedFunction,
  args: readonly string[],
  version: string,
  kwargs: Readonly<Record<string, string>> = {},
  hash = 'md5',
): string {
  const { module, name } = checked(called)
  checkArray('args', args)
  for (const [index, arg] of args.entries()) checkText(`args[${index}]`, arg)
  checkText('version', version)
  checkObject('kwargs', kwargs)
  const tuple = `(${args.join(', ')}${args.length === 1 ? ',' : ''})`
  const updated = `${module}.${name}${tuple}${orderedDict(kwargs)}`
  return `${createHash(hash).update(updated).digest('base64').slice(0, 16)}${version}`
}

/** `make_template_fragment_key` of Flask-Caching, which differs from Django's. @throws TypeError for other types */
export function flaskTemplateFragmentKey(name: string, varyOn: readonly string[] = []): string {
  checkText('name', name)
  checkArray('varyOn', varyOn)
  for (const [index, argument] of varyOn.entries()) checkText(`varyOn[${index}]`, argument)
  return `_template_fragment_cache_${name}${varyOn.length > 0 ? '_' : ''}${varyOn.join('_')}`
}

function checked(called: MemoizedFunction): MemoizedFunction {
  checkObject('called', called)
  checkText('module', called.module)
  checkText('name', called.name)
  if (called.instance !== undefined) checkText('instance', called.instance)
  return called
}

/** As CPython up to 3.11 shows it; from 3.12 on `OrderedDict({'a': 1})`. */
function orderedDict(kwargs: Readonly<Record<string, string>>): string {
  const entries = Object.entries(kwargs).sort(([a], [b]) => (a < b ? -1 : 1))
  if (entries.length === 0) return 'OrderedDict()'
  return `OrderedDict([${entries.map(([name, value]) => `('${name}', ${value})`).join(', ')}])`
}
