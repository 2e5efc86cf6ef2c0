/**
 * Every function and class of these rooms, called with arguments that nobody means: it returns, or throws an error that was
 * written for people. What JavaScript itself says about such values ("Cannot read properties of undefined", "Invalid array length")
 * names neither the argument nor the limit, and counts as a fault.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import * as keyv from '../../src/adapters/keyv.js'
import * as unstorage from '../../src/adapters/unstorage.js'
import * as audit from '../../src/audit/index.js'
import * as compat from '../../src/compat/index.js'
import * as doctor from '../../src/doctor/index.js'
import * as frameworks from '../../src/frameworks/index.js'
import * as hashing from '../../src/hashing/index.js'
import * as migration from '../../src/migration/index.js'
import * as pymemcache from '../../src/pymemcache/index.js'
import * as record from '../../src/record/index.js'
import * as scan from '../../src/scan/index.js'
import * as server from '../../src/server/index.js'
import * as strict from '../../src/strict/index.js'
import * as values from '../../src/values/index.js'

const doors = {
  audit,
  compat,
  doctor,
  frameworks,
  hashing,
  keyv,
  migration,
  pymemcache,
  record,
  scan,
  server,
  strict,
  unstorage,
  values,
}

/** What JavaScript says on its own. */
const UNWRITTEN =
  /^(?!list index out of range$|The "listener" argument must be of type function|(?:servers: )?(?:servers must be a list of servers: )?'\w+' object is not iterable|expected )[\s\S]*(?:Cannot read propert|Cannot destructure|Cannot convert|Cannot mix|[\w)] is not a function$|is not iterable|not a constructor|serialize a BigInt|Invalid array length|Invalid count value|Maximum call stack|Invalid string length|Array buffer allocation|out of range|is not defined|'in' operator|Invalid time value|circular structure|called on null|must be of type)/

/** Its decimal digits take V8 about ten seconds, and nobody can read them. */
const longInteger = 'an integer of 64 million bits'
/** Milliseconds of processor time for a call with such an integer. */
const longest = 5000

const recursive: unknown[] = []
recursive.push(recursive)
const throwing = new Proxy({}, { get: () => { throw new Error('a trap of the caller') } }) // biome-ignore format: short
const hostile: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a name of Object.prototype', 'toString'],
  ['__proto__', '__proto__'],
  ['1e9', 1e9],
  ['NaN', Number.NaN],
  ['-1', -1],
  ['2^53', 2 ** 53],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['a bigint', 2n ** 100n],
  [longInteger, 1n << 64_000_000n],
  [`a negative one: ${longInteger}`, -(1n << 64_000_000n)],
  ['a symbol', Symbol('hostile')],
  ['an empty object', {}],
  ['an object without prototype', Object.assign(Object.create(null), { a: 1 })],
  ['an array of junk', [undefined, null, 5n, Symbol('x'), {}]],
  ['a list that holds itself', recursive],
  ['a function', () => 5],
  ['a lone surrogate', '\ud800'],
  ['line breaks', 'a b\r\nflush_all\r\n\0'],
  ['junk bytes', Buffer.from([0x80, 4, 0x95, 255, 255, 255, 255, 255, 255, 255, 127, 0])],
  ['a hole', new Array(3)],
  ['a date', new Date(Number.NaN)],
  ['a proxy that throws', throwing],
]

interface Fault {
  readonly call: string
  readonly problem: string
}

// Some arguments are paths.
const home = process.cwd()
const folder = mkdtempSync(join(tmpdir(), 'memshim-hostile-'))
process.chdir(folder)

const open: { disconnectAll?(): unknown; stop?(): unknown }[] = []
afterAll(async () => {
  for (const one of open) {
    if (typeof one.disconnectAll === 'function') await one.disconnectAll()
    if (typeof one.stop === 'function') await one.stop()
  }
  process.chdir(home)
  rmSync(folder, { recursive: true })
})

async function outcome(call: string, run: () => unknown): Promise<Fault | undefined> {
  const before = process.cpuUsage()
  const fault = await problemOf(call, run)
  const { user, system } = process.cpuUsage(before)
  const took = (user + system) / 1000
  if (fault === undefined && call.includes(longInteger) && took > longest)
    return { call, problem: `took ${Math.round(took)} ms of processor time` }
  return fault
}

async function problemOf(call: string, run: () => unknown): Promise<Fault | undefined> {
  try {
    const result = await run()
    if (typeof result === 'object' && result !== null) {
      if ('disconnectAll' in result || 'stop' in result) open.push(result as { stop?(): unknown })
      if (Symbol.iterator in result) for (const _ of result as Iterable<unknown>) break
    }
    return undefined
  } catch (error) {
    if (!(error instanceof Error)) return { call, problem: `throws ${String(error)}, which is not an Error` }
    if (error.message === 'a trap of the caller') return undefined
    return UNWRITTEN.test(error.message) ? { call, problem: `${error.name}: ${error.message}` } : undefined
  }
}

/** Every hostile value alone, in every place up to the number of parameters, and in all of them. */
function argumentLists(parameters: number): [string, unknown[]][] {
  const lists: [string, unknown[]][] = [['no argument', []]]
  for (const [name, value] of hostile) {
    for (let place = 0; place < Math.min(3, Math.max(1, parameters)); place++) {
      lists.push([`${name} as argument ${place + 1}`, [...fitting.slice(0, place), value]])
    }
    lists.push([`only ${name}`, [value, value, value, value]])
  }
  return lists
}

/** What goes before the hostile one. */
const fitting: unknown[] = ['k', 'v', 1]

async function sweep(calls: (readonly [string, number, (args: unknown[]) => unknown])[]): Promise<Fault[]> {
  const faults: Fault[] = []
  for (const [name, parameters, run] of calls) {
    for (const [description, args] of argumentLists(parameters)) {
      const fault = await outcome(`${name}: ${description}`, () => run(args))
      if (fault) faults.push(fault)
    }
  }
  return faults
}

function isClass(value: unknown): value is new (...args: unknown[]) => unknown {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
}

/** Errors are made by memshim, not by callers. */
const madeHere = /Error$|Failure$|Exception$/

test.each(Object.entries(doors))('exports of memshim/%s', async (_, door) => {
  const calls = Object.entries(door).flatMap(([name, value]) => {
    if (typeof value !== 'function' || madeHere.test(name)) return []
    if (isClass(value) && value.prototype instanceof Error) return []
    const run = isClass(value)
      ? (args: unknown[]) => new value(...args)
      : (args: unknown[]) => (value as (...args: unknown[]) => unknown)(...args)
    return [[name, value.length, run] as const]
  })
  expect(await sweep(calls)).toEqual([])
})

const publicMethods = [
  'get', 'gets', 'getMulti', 'set', 'add', 'replace', 'append', 'prepend', 'cas', 'setMulti', 'addMulti', 'incr', 'decr', 'incrMulti',
  'delete', 'deleteMulti', 'touch', 'getStats', 'getSlabStats', 'getSlabs', 'flushAll', 'setPhase', 'settle', 'forgetUnsettled',
  'setServers', 'forgetDeadHosts', 'debuglog', 'setBehaviors', 'clone', 'errorFor', 'hash', 'checkKey', 'disconnectAll',
] // biome-ignore format: one list

const clients: Readonly<Record<string, (address: string) => object>> = {
  'the migrating client': (address) =>
    new migration.MigratingClient({
      old: new strict.Client([address]),
      new: new strict.Client([address], { behaviors: { cas: true }, timeout: 2000 }),
    }),
  'the strict client over text': (address) => new strict.Client([address], { behaviors: { cas: true } }),
  'the strict client over binary': (address) => new strict.Client([address], { binary: true }),
  'the compat client of 1.44': (address) =>
    new compat.Client([address], { emulate: 'python-memcached-1.44' }),
  'the compat client of 1.59': (address) =>
    new compat.Client([address], { emulate: 'python-memcached-1.59' }),
  'the compat client of 1.62': (address) =>
    new compat.Client([address], { emulate: 'python-memcached-1.62', cacheCas: true }),
  'the compat client as pylibmc': (address) => new compat.Client([address], { emulate: 'pylibmc' }),
}

test.each(Object.entries(clients))('methods of %s, on a server', { timeout: 120_000 }, async (_, make) => {
  const one = await server.startServer()
  open.push(one)
  const client = make(one.address) as { disconnectAll?(): unknown }
  open.push(client)
  const methods = client as unknown as Record<string, unknown>
  const calls = publicMethods.flatMap((name) => {
    const method = methods[name]
    if (typeof method !== 'function') return []
    const call = (args: unknown[]) => method.apply(client, args)
    return [[`${client.constructor.name}.${name}`, method.length, call] as const]
  })
  expect(calls.length).toBeGreaterThan(10)
  expect(await sweep(calls)).toEqual([])
})

/** The reports of the public API (test/api) name every public class and its members. */
const reports = join(import.meta.dirname, '..', 'api')

/** Public methods by class: those of the reports. Classes of errors, and of values, which only show themselves, are left out. */
function publicClasses(): [name: string, methods: string[]][] {
  return readdirSync(reports).flatMap((file) => {
    const door = file.replace('.api.md', '')
    const text = readFileSync(join(reports, file), 'utf8')
    return [...text.matchAll(/^export class (\w+).*\{\n([\s\S]*?)^\}/gm)].flatMap(([, name, body]) => {
      const methods = [...body!.matchAll(/^ {4}(\w+)(?:<.*?>)?\(/gm)].map(([, method]) => method!)
      const own = methods.filter((method) => !/^(?:constructor|toJSON|toString|valueOf|toDate)$/.test(method))
      return own.length > 0 ? [[`${door}: ${name}`, own] as [string, string[]]] : []
    })
  })
}

const strictClient = (address: string) => new strict.Client([address], { timeout: 2000 })
const djangoCache = (address: string) => new frameworks.DjangoCache(strictClient(address))
const signing = { key: 'secret' }
const pymemcacheOptions = { timeout: 2, connectTimeout: 2, defaultNoreply: false }
/** Timeouts short, so that what waits for a reply that nobody sends ends. */
const shortly = { timeout: 0.05, connectTimeout: 2 }

/** One of every public class; a class that is missing here fails the test. */
const objects: Readonly<Record<string, (address: string) => object>> = {
  'compat: Client': (address) => new compat.Client([address], { emulate: 'python-memcached-1.62' }),
  'compat: DivergenceLog': () => new compat.DivergenceLog(),
  'compat: ShadowedClient': (address) => new compat.ShadowedClient([address], {}, strictClient(address)),
  'frameworks: DjangoCache': djangoCache,
  'frameworks: DjangoSessions': (address) => new frameworks.DjangoSessions(djangoCache(address)),
  'frameworks: DjangoSigner': () => new frameworks.DjangoSigner(signing),
  'frameworks: DjangoTimestampSigner': () => new frameworks.DjangoTimestampSigner(signing),
  'frameworks: FlaskSessions': (address) =>
    new frameworks.FlaskSessions(strictClient(address), { format: 'json' }),
  'keyv: KeyvMemcached': (address) => new keyv.KeyvMemcached(strictClient(address)),
  'migration: MigratingClient': (address) =>
    new migration.MigratingClient({ old: strictClient(address), new: strictClient(address) }),
  'pymemcache: Client': (address) => new pymemcache.Client(address, shortly),
  'pymemcache: HashClient': (address) => new pymemcache.HashClient([address], pymemcacheOptions),
  'pymemcache: PooledClient': (address) => new pymemcache.PooledClient(address, shortly),
  'scan: MetadumpReader': () => new scan.MetadumpReader('a listing', () => undefined),
  'server: EmbeddedServer': () => new server.EmbeddedServer(),
  'strict: Client': strictClient,
  'strict: ClientPool': (address) => new strict.ClientPool(strictClient(address), 2),
  'strict: ThreadMappedPool': (address) => new strict.ThreadMappedPool(strictClient(address)),
  'values: PythonObject': () =>
    new values.PythonObject(new values.PyGlobal('shop', 'User'), [], 'new') as never,
  // Not a class, and as public.
  retryingClient: (address) => pymemcache.retryingClient(new pymemcache.Client(address, shortly)),
  unstorageDriver: (address) => unstorage.unstorageDriver(strictClient(address)),
}
const withoutClass: readonly [string, string[]][] = [
  ['retryingClient', ['get', 'set', 'getMany', 'setMany', 'incr', 'cas', 'deleteMany', 'touch']],
  [
    'unstorageDriver',
    ['hasItem', 'getItem', 'getItems', 'getItemRaw', 'setItem', 'setItemRaw', 'removeItem', 'getKeys'],
  ],
]

test('every public class has an example here', () => {
  expect(publicClasses().map(([name]) => name)).toEqual(
    Object.keys(objects).filter((name) => name.includes(':')),
  )
})

/** They end the server, or wait for bytes that nobody sends. */
const ending = /^(?:shutdown|rawCommand)$/

test.each([...publicClasses(), ...withoutClass])(
  'methods of %s',
  { timeout: 240_000 },
  async (name, methods) => {
    const one = await server.startServer()
    open.push(one)
    const object = objects[name]!(one.address) as Record<string, unknown> & { disconnectAll?(): unknown }
    open.push(object)
    const calls = methods.flatMap((method) => {
      const call = object[method]
      if (typeof call !== 'function' || ending.test(method)) return []
      return [[`${name}.${method}`, call.length, (args: unknown[]) => call.apply(object, args)] as const]
    })
    expect(calls).not.toEqual([])
    expect(await sweep(calls)).toEqual([])
  },
)

const encodings = {
  pylibmc: values.pylibmcEncoding(),
  'python-memcached 1.58': values.pythonMemcachedEncoding({ version: '1.58' }),
  'python-memcached 1.62': values.pythonMemcachedEncoding({ version: '1.59' }),
  raw: values.rawEncoding,
}

test.each(Object.entries(encodings))('the encoding of %s', async (name, encoding) => {
  const methods = encoding as unknown as Record<string, (...args: unknown[]) => unknown>
  const calls = ['serialize', 'deserialize', 'encode', 'decode'].flatMap((method) =>
    typeof methods[method] === 'function'
      ? [[`${name}.${method}`, 3, (args: unknown[]) => methods[method]!.apply(encoding, args)] as const]
      : [],
  )
  expect(calls).not.toEqual([])
  expect(await sweep(calls)).toEqual([])
})
