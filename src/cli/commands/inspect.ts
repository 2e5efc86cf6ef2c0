/** `memshim inspect` shows a stored item: flags by name, compression, the opcodes of the pickle, and the value. */
import { Command, InvalidArgumentError } from 'commander'
import { exitCodes } from '../../audit/index.js'
import { doctor } from '../../doctor/index.js'
import { Client, MemcachedError } from '../../strict/index.js'
import {
  decompress,
  describe,
  disassembly,
  type EncodedValue,
  FLAG_INTEGER,
  FLAG_LONG,
  FLAG_PICKLE,
  FLAG_TEXT,
  FLAG_ZLIB,
  pylibmcEncoding,
  pythonMemcachedDialects,
  pythonMemcachedEncoding,
  rawEncoding,
  type UnpickleOptions,
  type ValueEncoding,
} from '../../values/index.js'
import { forTerminal } from '../for-terminal.js'
import { inputFile, largest } from '../input-file.js'
import { checkKeyArgument, type GivenKey, keyAsJson, keysIn, printableKey } from '../keys-file.js'
import { serverSpecs } from '../servers.js'
import { commaList, listed, refuseIdle, UsageError } from '../usage.js'

interface Flags {
  readonly server?: string[] | undefined
  readonly file?: string
  readonly flags: number
  readonly as: string
  readonly encoding: NonNullable<UnpickleOptions['encoding']>
  readonly lines?: number
  readonly keys?: string
  readonly json?: boolean
}

/** The default number of lines of disassembly: for one item, and for each of many. */
const USUAL_LINES = { one: 200, many: 0 }

const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [FLAG_PICKLE, 'pickle'],
  [FLAG_INTEGER, 'integer'],
  [FLAG_LONG, 'long'],
  [FLAG_ZLIB, 'zlib'],
  [FLAG_TEXT, 'text'],
]
const VERSIONS = Object.keys(pythonMemcachedDialects) as (keyof typeof pythonMemcachedDialects)[]
const READERS = ['pylibmc', ...VERSIONS.map((version) => `python-memcached-${version}`)]
const ENCODINGS = ['ascii', 'latin1', 'utf8', 'bytes']
const SHOWN_VALUE = 2000
const SHOWN_ARGUMENT = 80

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Show an item as it is stored: flags, compression, the pickle opcode by opcode, the value.')
    .argument('[keys...]', 'keys, as they are sent (prefix included)')
    .option(
      '--keys <file>',
      'more keys, one a line, or a listing of lru_crawler metadump, plain or gzip (- = standard input)',
    )
    .option(
      '--server <list>',
      'servers in their order (pylibmc’s grammar); the key is read from its own server; default: 127.0.0.1:11211',
      commaList,
    )
    .option('--file <path>', 'bytes of a value from disk, instead of a key')
    .option('--flags <number>', 'flags of the bytes in --file', wholeNumber, FLAG_PICKLE)
    .option('--as <library>', 'library whose rules read the value', 'pylibmc')
    .option('--encoding <name>', 'encoding of byte strings of Python 2', 'ascii')
    .option(
      '--lines <number>',
      `largest number of lines of disassembly; 0 = none; default: ${USUAL_LINES.one}, and ${USUAL_LINES.many} for several keys`,
      wholeNumber,
    )
    .option('--json', 'as JSON: an object for each item')
    .addHelpText(
      'after',
      `
Examples:
  $ memshim inspect user:1 --server 127.0.0.1:11211
  $ memshim inspect user:1 user:2 page:7 --server a:11211,b:11211 --json
  $ memshim inspect --keys monday.metadump.gz --server 127.0.0.1:11211 --lines 0
  $ memshim inspect --file value.bin --flags 9
  $ memshim inspect session:5 --server a:11211,b:11211 --as python-memcached-1.58 --encoding latin1

--as: ${listed(READERS)}. Nothing that a pickle names is ever run.
Exit codes: 0 shown, 1 some of several keys have no item, 2 bad usage or input.`,
    )
    .action(run)
}

async function run(given: string[], flags: Flags, command: Command): Promise<void> {
  given.forEach(checkKeyArgument)
  const encoding = readerOf(flags)
  if (flags.json) refuseIdle(command, ['lines'], 'is about the text: --json has no disassembly')
  if (flags.file !== undefined) {
    if (given.length > 0 || flags.keys !== undefined) throw new UsageError('name keys or --file, not both')
    refuseIdle(command, ['server'], 'is about keys, and the bytes are in --file')
    show([{ item: await fileContent(flags.file, flags.flags) }], encoding, flags)
    return
  }
  refuseIdle(command, ['flags'], 'is about the bytes in --file; an item has its own flags')
  const keys: readonly GivenKey[] = [...given, ...(flags.keys === undefined ? [] : await keysIn(flags.keys))]
  if (keys.length === 0)
    throw new UsageError('name a key, --keys with a file of keys, or --file with the bytes of a value')
  const servers = flags.server ?? ['127.0.0.1:11211']
  const items = await stored(keys, servers)
  if (keys.length === 1 && !items[0]?.item) throw new UsageError(`there is no item ${printableKey(keys[0]!)}`)
  show(items, encoding, flags)
  if (items.some(({ item }) => !item)) process.exitCode = exitCodes.found
}

/** An item of a key, or from a file. */
interface Found {
  readonly key?: GivenKey
  readonly item: EncodedValue | undefined
}

function show(items: readonly Found[], encoding: ValueEncoding, { lines, json }: Flags): void {
  const many = items.length > 1
  const most = lines ?? (many ? USUAL_LINES.many : USUAL_LINES.one)
  if (json) {
    const rows = items.map((found) => row(found, encoding))
    process.stdout.write(`${JSON.stringify(many ? rows : rows[0], null, 2)}\n`)
    return
  }
  for (const { key, item } of items) {
    if (many) process.stdout.write(forTerminal(`${printableKey(key!)}\n`))
    const said = item ? [...report(item, encoding, most)] : ['there is no item']
    process.stdout.write(forTerminal(said.map((line) => `${many ? '  ' : ''}${line}\n`).join('')))
  }
}

/** An item as data. */
function row({ key, item }: Found, encoding: ValueEncoding) {
  const named = key === undefined ? {} : { key: keyAsJson(key) }
  if (!item) return { ...named, found: false }
  const { flags, data } = item
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const facts = {
    ...named,
    found: true,
    flags,
    flagNames: namesOf(flags),
    bytes: bytes.length,
    readAs: encoding.name,
  }
  try {
    const payload = flags & FLAG_ZLIB ? decompress(bytes, flags) : bytes
    const protocol =
      flags & FLAG_PICKLE && !(flags & FLAG_TEXT) ? { pickleProtocol: protocolOf(payload) } : {}
    const inflated = flags & FLAG_ZLIB ? { inflated: payload.length } : {}
    return { ...facts, ...inflated, ...protocol, value: describe(encoding.decode(flags, bytes), SHOWN_VALUE) }
  } catch (error) {
    return { ...facts, error: failure(error) }
  }
}

function namesOf(flags: number): readonly string[] {
  const named = FLAG_NAMES.filter(([bit]) => flags & bit).map(([, name]) => name)
  const other = (flags & ~31) >>> 0
  return other === 0 ? named : [...named, `unknown 0x${other.toString(16)}`]
}

/** Pickles of protocols 0 and 1 cannot be distinguished. */
function protocolOf(payload: Buffer): number | '0 or 1' {
  return payload[0] === 0x80 ? payload[1]! : '0 or 1'
}

/** All facts about an item, also about a broken one. */
function* report({ flags, data }: EncodedValue, encoding: ValueEncoding, lines: number): Generator<string> {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  yield `flags        ${flags} (${namesOf(flags).join(', ') || 'none: bytes'})`
  yield `stored       ${bytes.length} bytes`
  let payload = bytes
  if (flags & FLAG_ZLIB) {
    try {
      payload = decompress(bytes, flags)
      yield `inflated     ${payload.length} bytes (zlib, ${((100 * bytes.length) / payload.length).toFixed(1)} % of it stored)`
    } catch (error) {
      yield `inflated     ${failure(error)}`
      return
    }
  }
  if (flags & FLAG_PICKLE && !(flags & FLAG_TEXT)) yield* pickleReport(payload, lines)
  try {
    yield `value        ${describe(encoding.decode(flags, bytes), SHOWN_VALUE)}`
  } catch (error) {
    yield `value        ${failure(error)}`
  }
  yield `read as      ${encoding.name}`
}

function* pickleReport(payload: Buffer, lines: number): Generator<string> {
  yield `pickle       protocol ${protocolOf(payload)}`
  let count = 0
  try {
    for (const line of disassembly(payload, SHOWN_ARGUMENT)) {
      if (count++ >= lines) {
        if (lines > 0) yield '    … (--lines shows more)'
        return
      }
      yield line
    }
  } catch (error) {
    yield `    ${failure(error)}`
  }
}

async function fileContent(path: string, flags: number): Promise<EncodedValue> {
  return { flags, data: await inputFile(`--file ${path}`, path, largest.value) }
}

/** Keys of one request. */
const TOGETHER = 100

/** @throws UsageError for a server that is no memcached or cannot be reached; other errors of the client */
async function stored(keys: readonly GivenKey[], servers: readonly string[]): Promise<readonly Found[]> {
  serverSpecs('--server', servers)
  const client = new Client(servers, { encoding: rawEncoding })
  const items: Found[] = []
  try {
    for (let from = 0; from < keys.length; from += TOGETHER) {
      const some = keys.slice(from, from + TOGETHER)
      const found = await Promise.all(some.map((key) => client.get<EncodedValue>(key)))
      items.push(...some.map((key, i) => ({ key, item: found[i] ?? undefined })))
    }
    // pylibmc's client reports a miss for some answers that no memcached sends.
    if (items.some(({ item }) => !item)) await checkServers(servers)
    return items
  } catch (error) {
    if (error instanceof MemcachedError) await checkServers(servers)
    throw error
  } finally {
    client.disconnectAll()
  }
}

/** @throws UsageError that explains the fault of the first server that is not a usable memcached */
async function checkServers(servers: readonly string[]): Promise<void> {
  const { servers: examined } = await doctor({ servers })
  for (const { server, kind, findings } of examined) {
    const problem = findings.find(({ level }) => level === 'problem')
    if (problem) throw new UsageError(`--server ${server}: ${kind}: ${problem.text}`)
  }
}

function readerOf({ as, encoding }: Flags): ValueEncoding {
  if (!ENCODINGS.includes(encoding))
    throw new UsageError(`--encoding ${encoding} is not known: choose one of ${listed(ENCODINGS)}`)
  const options = { encoding, preserve: true }
  if (as === 'pylibmc') return pylibmcEncoding(options)
  const version = VERSIONS.find((known) => as === `python-memcached-${known}`)
  if (version === undefined) throw new UsageError(`--as ${as} is not known: choose one of ${listed(READERS)}`)
  return pythonMemcachedEncoding({ ...options, version })
}

function failure(error: unknown): string {
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= 0xffffffff) return value
  throw new InvalidArgumentError('It must be a whole number from 0 to 4294967295.')
}
