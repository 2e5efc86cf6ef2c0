/**
 * Keys, times and memoize versions of Flask-Caching's MemcachedCache, and of cachelib, which it uses.
 * Source: fixtures/vectors/frameworks.json and framework-values.json (Flask-Caching 2.3 and 2.5, cachelib 0.13 and 0.17).
 */
import { createHash, randomBytes } from 'node:crypto'
import { checkArray, checkNumber, checkObject, checkText } from '../ground/arguments.js'
import { ownOptions } from '../python/options.js'
import { encodeText } from '../python/text.js'
import { describe } from '../values/index.js'
import { hasChange } from './versions.js'

/** The keys that Flask-Caching sends. For other keys it reports a miss without sending anything. */
const SENT = /^[^\x00-\x21\xff]{1,250}$/u

/**
 * The key to send; undefined for a key for which Flask-Caching sends nothing and reports a miss.
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
 * The time that Flask-Caching sends for a timeout in seconds: a date, except for 0 (never expires) and negative timeouts.
 * @param now Unix time in seconds
 * @throws TypeError when one is not a number
 */
export function flaskCachingTime(timeout: number, now: number = Date.now() / 1000): number {
  checkNumber('timeout', timeout)
  checkNumber('now', now)
  const seconds = Math.ceil(timeout)
  return seconds > 0 ? Math.trunc(now) + seconds : seconds
}

/** The key of a view that is cached by `@cache.cached()`: `view/` and the path. @param keyPrefix of the decorator @throws TypeError */
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
  /** For a method, the result of repr() or `__caching_id__` of the instance. */
  readonly instance?: string | undefined
}

/** The option of functions whose result depends on Flask-Caching's version. */
export interface FlaskCachingOption {
  /** Flask-Caching's version, `2.5.1`. There is no default, because a wrong version finds nothing: names and keys changed in 2.5. */
  readonly flaskCaching: string
}

/** The options that change the key of a memoized result. */
export interface FlaskMemoizeOptions extends FlaskCachingOption {
  /** The values of `**kwargs`, each as Python's repr(). Default none. */
  readonly kwargs?: Readonly<Record<string, string>> | undefined
  /** Python's version, `3.12`, which keys with `kwargs` need, because they changed in 3.12. */
  readonly python?: string | undefined
  /** `CACHE_HASH_METHOD`, or the argument `hash_method`. Default `md5`, from Flask-Caching 2.5 on `sha256`. */
  readonly hash?: string | undefined
}

/**
 * The keys of the versions of a function's results: one key, and for a method a second one for the instance. `flaskMemoizeKey` needs their values, joined
 * in this order. To discard all results, store a new version (`flaskMemoizeVersion`) under the last key.
 * @throws TypeError for a missing `flaskCaching`, unknown options and other types; ValueError for a `flaskCaching` that is not a version
 */
export function flaskMemoizeVersionKeys(called: MemoizedFunction, options: FlaskCachingOption): string[] {
  const known = ownOptions(options, ['flaskCaching'])
  const { instance } = checked(called)
  const own = nameOf(called, known)
  return [own, ...(instance === undefined ? [] : [cleaned(`${fullName(called)}.${instance}`, known)])].map(
    (name) => `${name}_memver`,
  )
}

/** A new version of memoized results: six random characters. */
export function flaskMemoizeVersion(): string {
  return randomBytes(16).toString('base64').slice(0, 6)
}

/**
 * The key of a memoized result.
 * @param args all arguments in the order of the function's parameters, as Python's repr() shows them. Defaults are filled in; up to
 *   Flask-Caching 2.4 a default that is false in Python (`0`, `''`) counts as `None`. The first argument of a method is the instance's
 *   representation as text, `"'<Shop 1>'"`
 * @param version the values of `flaskMemoizeVersionKeys`, joined in their order
 * @throws TypeError for a missing `flaskCaching` or `python`, unknown options and other types; ValueError for a `flaskCaching` or `python` that is not a version
 */
export function flaskMemoizeKey(
  called: MemoizedFunction,
  args: readonly string[],
  version: string,
  options: FlaskMemoizeOptions,
): string {
  checkArray('args', args)
  for (const [index, arg] of args.entries()) checkText(`args[${index}]`, arg)
  checkText('version', version)
  const known = ownOptions(options, ['kwargs', 'python', 'hash', 'flaskCaching'])
  const { kwargs = {}, python, hash = isSince25(known) ? 'sha256' : 'md5' } = known
  checkObject('kwargs', kwargs)
  checkText('hash', hash)
  const tuple = `(${args.join(', ')}${args.length === 1 ? ',' : ''})`
  const updated = `${nameOf(called, known)}${tuple}${orderedDict(kwargs, python)}`
  return `${createHash(hash).update(encodeText(updated)).digest('base64').slice(0, 16)}${version}`
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

const isSince25 = ({ flaskCaching }: FlaskCachingOption): boolean =>
  hasChange('flaskCaching', flaskCaching, ['2.5'])

const fullName = ({ module, name }: MemoizedFunction): string => `${module}.${name}`

const nameOf = (called: MemoizedFunction, options: FlaskCachingOption): string =>
  cleaned(fullName(checked(called)), options)

/** From 2.5 on only letters, digits, `_` and `.` of the first 256 characters are kept. */
const cleaned = (name: string, options: FlaskCachingOption): string =>
  isSince25(options) ? name.replace(/[^\w.\u0100-\uffff]/g, '') : name

/** The text of the keyword arguments in CPython's form, sorted by the code points of the names. */
function orderedDict(kwargs: Readonly<Record<string, string>>, python: string | undefined): string {
  const entries = Object.entries(kwargs).sort(([a], [b]) => Buffer.compare(encodeText(a), encodeText(b)))
  if (entries.length === 0) return 'OrderedDict()'
  const asDict = hasChange('python', python, ['3.12'])
  const named = entries.map(([name, value]) => [describe(name), value])
  return asDict
    ? `OrderedDict({${named.map((pair) => pair.join(': ')).join(', ')}})`
    : `OrderedDict([${named.map((pair) => `(${pair.join(', ')})`).join(', ')}])`
}
