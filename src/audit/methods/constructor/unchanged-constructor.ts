/**
 * An application's unchanged constructor call on another library: bound to that library's own signature by position and by
 * keyword, then converted as in its code. Source: the real constructors, measured in `fixtures/vectors/constructor-forms.json.gz`.
 */
import { Client as CompatClient, type PresetName } from '../../../compat/index.js'
import { AttributeError, OverflowError, ValueError } from '../../../python/errors.js'
import { typeName } from '../../../python/type-name.js'
import { type Signature, signatureOf } from '../../../rules/signatures.js'
import { versionAtLeast } from '../../../rules/version.js'
import { behaviorNames, MemcachedError, parseServers, Client as StrictClient } from '../../../strict/index.js'
import { fromTypedJson, PyFloat, PyGlobal } from '../../../values/index.js'
import { checkUnchangedPymemcache } from '../../pymemcache/construct.js'
import type { Construction, TracedServer } from '../../traces/trace.js'
import { asBuiltin } from '../builtins.js'
import { itemsOf, truthy } from '../conversions.js'
import type { Bound, Library } from '../python-signatures.js'

/** A constructor call of the trace. */
export interface ConstructorCall extends Construction {
  readonly servers: readonly TracedServer[]
}

/** The constructor's arguments by the names that the source's signature has for them. */
function argumentsOf({ servers, kwargs, positional = ['servers'] }: ConstructorCall): {
  readonly args: readonly unknown[]
  readonly keywords: Readonly<Record<string, unknown>>
} {
  const [first = 'servers'] = positional
  const decoded = new Map<string, unknown>([
    [first, servers],
    ...Object.entries(kwargs).map(([name, value]): [string, unknown] => [name, fromTypedJson(value)]),
  ])
  const args = positional.map((name) => decoded.get(name))
  for (const name of positional) decoded.delete(name)
  return { args, keywords: Object.fromEntries(decoded) }
}

/**
 * The arguments that Python binds to the parameters of a library's constructor, which is a Python function in these libraries.
 * @throws TypeError with the message of Python 3.10 and later, or of Python 2 for versions of python-memcached that need it
 */
export function boundConstructor(library: Library, made: ConstructorCall): Bound {
  const signature = signatureOf(library.name, library.version, '__init__')!
  const { args, keywords } = argumentsOf(made)
  const words = runsOnPython2(library) ? python2Words(signature) : python3Words(signature)
  const given = args.length + Object.keys(keywords).length
  if (words.countsFirst && args.length > signature.parameters.length)
    throw new TypeError(words.tooMany(args.length, given))
  const bound: Record<string, unknown> = {}
  for (const [i, value] of args.entries()) bound[signature.parameters[i] ?? i] = value
  for (const [name, value] of Object.entries(keywords)) {
    if (!signature.parameters.includes(name)) throw unexpectedKeyword(library, name)
    if (name in bound) throw new TypeError(words.twice(name))
    bound[name] = value
  }
  if (args.length > signature.parameters.length) throw new TypeError(words.tooMany(args.length, given))
  return bound
}

/** Python's error for a keyword that the constructor does not have. */
export function unexpectedKeyword(library: Library, name: string): TypeError {
  const method = runsOnPython2(library) ? '__init__' : 'Client.__init__'
  return new TypeError(`${method}() got an unexpected keyword argument '${name}'`)
}

/** python-memcached 1.55 is the first that runs on Python 3. */
function runsOnPython2({ name, version }: Library): boolean {
  return name === 'python-memcached' && !versionAtLeast(version, '1.55')
}

interface BindingWords {
  /** Whether Python counts the arguments before it checks the keywords. */
  readonly countsFirst: boolean
  twice(name: string): string
  tooMany(positions: number, given: number): string
}

function python2Words({ parameters }: Signature): BindingWords {
  return {
    countsFirst: true,
    twice: (name) => `__init__() got multiple values for keyword argument '${name}'`,
    tooMany: (_, given) => `__init__() takes at most ${parameters.length + 1} arguments (${given + 1} given)`,
  }
}

function python3Words({ parameters, required }: Signature): BindingWords {
  return {
    countsFirst: false,
    twice: (name) => `Client.__init__() got multiple values for argument '${name}'`,
    tooMany: (positions) =>
      `Client.__init__() takes from ${required + 1} to ${parameters.length + 1} positional arguments but ${positions + 1} were given`,
  }
}

/**
 * The keywords with which the target's constructor makes a client of the application's call, by the target's own names, without the servers.
 * @throws errors of the target's constructor; for pymemcache, whose constructor may accept unusable arguments, the error of the first call
 */
export function unchangedConstruction(
  library: Library,
  made: ConstructorCall,
): Readonly<Record<string, unknown>> {
  const bound = boundConstructor(library, made)
  const { servers: _, server: __, ...keywords } = bound
  if (library.name === 'pymemcache') checkUnchangedPymemcache(library, made, keywords)
  else if (library.name === 'pylibmc') return pylibmcKeywords(made, keywords)
  else checkPythonMemcached(library, made.servers, keywords)
  return keywords
}

/** Parameters whose position has another meaning: `[['debug', 'behaviors']]`. */
export function movedPositions(
  library: Library,
  made: ConstructorCall,
): readonly (readonly [string, string])[] {
  const { parameters } = signatureOf(library.name, library.version, '__init__')!
  return (made.positional ?? [])
    .map((name, i): readonly [string, string] => [name, parameters[i] ?? name])
    .filter(([before, after], i) => i > 0 && before !== after)
}

function checkPythonMemcached(
  library: Library,
  servers: readonly TracedServer[],
  { pickleProtocol, pickler }: Bound,
): void {
  new CompatClient(servers as never, { emulate: `python-memcached-${library.version}` as PresetName })
  const callable = pickler === undefined || pickler instanceof PyGlobal
  // In Python 2 every text is greater than any number.
  const isTooNew = typeof pickleProtocol === 'string' || (pickleProtocol as number) > 2
  if (runsOnPython2(library) && callable && isTooNew) throw new ValueError('pickle protocol must be <= 2')
}

/** pylibmc's own order: the servers, the behaviors, the types of the other arguments, SASL, and the number of servers last. */
function pylibmcKeywords(
  { servers, iterator }: ConstructorCall,
  { behaviors, binary, username = null, password = null }: Bound,
): Readonly<Record<string, unknown>> {
  // pylibmc iterates twice, and an iterator is exhausted the second time.
  const left = iterator ? [] : servers
  for (const server of left)
    if (typeof server !== 'string') throw new AttributeError("'tuple' object has no attribute 'startswith'")
  if (left.length > 0) parseServers(left as readonly string[])
  checkBehaviors(asBuiltin(behaviors))
  const isBinary = binary !== undefined && unsignedByte(asBuiltin(binary)) > 0
  checkText(3, username)
  checkText(4, password)
  if (username !== null || password !== null) {
    if (username === null || password === null)
      throw new TypeError('SASL requires both username and password')
    if (!isBinary) throw new TypeError('SASL requires the memcached binary protocol')
  }
  if (behaviors instanceof Map)
    new StrictClient(left as readonly string[], { behaviors: Object.fromEntries(behaviors) })
  if (left.length === 0) throw new MemcachedError('empty server list')
  return {
    ...(behaviors instanceof Map && behaviors.size > 0 ? { behaviors } : {}),
    ...(isBinary ? { binary: true } : {}),
    ...(username === null ? {} : { username, password }),
  }
}

const copied = new Set(['dict', 'list', 'set', 'bytearray', 'collections.deque', 'frozenset'])

/** The checks of pylibmc's `_behaviors_numeric` before a behavior is read. */
function checkBehaviors(behaviors: unknown): void {
  if (!truthy(behaviors) || behaviors === undefined) return
  const type = typeName(behaviors)
  if (!copied.has(type)) throw new AttributeError(`'${type}' object has no attribute 'copy'`)
  const known: ReadonlySet<unknown> = new Set<unknown>([...behaviorNames, 'namespace', '_retry_timeout'])
  const unknown = (itemsOf(behaviors) ?? []).filter((name) => !known.has(name)).map(shownName)
  if (unknown.length > 0) throw new ValueError(`unknown behavior names: ${unknown.sort().join(', ')}`)
  if (!(behaviors instanceof Map)) throw new AttributeError(`'${type}' object has no attribute 'get'`)
}

function shownName(name: unknown): string {
  return name instanceof PyFloat ? String(name.value) : String(name)
}

/** Python's argument format `b`. */
function unsignedByte(value: unknown): number {
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean')
    throw new TypeError(`'${typeName(value)}' object cannot be interpreted as an integer`)
  const integer = BigInt(value)
  if (BigInt.asIntN(64, integer) !== integer)
    throw new OverflowError('Python int too large to convert to C long')
  if (integer < 0n) throw new OverflowError('unsigned byte integer is less than minimum')
  if (integer > 255n) throw new OverflowError('unsigned byte integer is greater than maximum')
  return Number(integer)
}

/** Python's argument format `z`. */
function checkText(position: number, value: unknown): void {
  const plain = asBuiltin(value)
  if (plain === null) return
  if (typeof plain !== 'string')
    throw new TypeError(`argument ${position} must be str or None, not ${typeName(plain)}`)
  if (plain.includes('\0')) throw new ValueError('embedded null character')
}

/**
 * The outcome of a library's constructor for the arguments of pymemcache's: measured with `memcache.Client` and `pylibmc.Client`, which
 * iterate over the characters of an address, or over host and port.
 * @throws AttributeError for a class that it does not have, TypeError for a keyword, ValueError for the address
 */
export function checkPymemcacheConstruction(library: Library, made: ConstructorCall): void {
  const { class: kind = 'Client', container } = made
  const module = library.name === 'pylibmc' ? 'pylibmc' : 'memcache'
  if (kind !== 'Client') throw new AttributeError(`module '${module}' has no attribute '${kind}'`)
  boundConstructor(library, { ...made, positional: made.positional ?? ['server'] })
  const isPylibmc = library.name === 'pylibmc'
  if (container === 'tuple' || container === 'list')
    throw isPylibmc
      ? new AttributeError("'int' object has no attribute 'startswith'")
      : new TypeError("expected string or bytes-like object, got 'int'")
  throw new ValueError(
    isPylibmc ? "invalid literal for int() with base 10: ''" : 'Unable to parse connection string: ":"',
  )
}
