/** `memshim inspect`: an item as it is stored: flags by name, compression, the pickle opcode by opcode, and its value. */
import { readFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { Client } from '../strict/index.js'
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
} from '../values/index.js'
import { commaList, listed, UsageError } from './usage.js'

interface Flags {
  readonly server?: string[] | undefined
  readonly file?: string
  readonly flags: number
  readonly as: string
  readonly encoding: NonNullable<UnpickleOptions['encoding']>
  readonly lines: number
}

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
    .argument('[key]', 'the key, as it is sent (prefix included)')
    .option(
      '--server <list>',
      'servers in their order (pylibmc’s grammar); the key’s own is asked',
      commaList,
    )
    .option('--file <path>', 'bytes of a value from disk, instead of a key')
    .option('--flags <number>', 'flags of the bytes in --file', wholeNumber, FLAG_PICKLE)
    .option('--as <library>', 'whose rules read it', 'pylibmc')
    .option('--encoding <name>', 'how byte strings of Python 2 are read', 'ascii')
    .option('--lines <number>', 'most lines of disassembly; 0 = none', wholeNumber, 200)
    .addHelpText(
      'after',
      `
Examples:
  $ memshim inspect user:1 --server 127.0.0.1:11211
  $ memshim inspect --file value.bin --flags 9
  $ memshim inspect session:5 --server a:11211,b:11211 --as python-memcached-1.58 --encoding latin1

--as: ${listed(READERS)}. Nothing that a pickle names is ever run.`,
    )
    .action(run)
}

async function run(key: string | undefined, flags: Flags): Promise<void> {
  const encoding = readerOf(flags)
  const item = await stored(key, flags)
  process.stdout.write(`${[...report(item, encoding, flags.lines)].join('\n')}\n`)
}

/** Everything that can be said about an item, also about a broken one. */
function* report({ flags, data }: EncodedValue, encoding: ValueEncoding, lines: number): Generator<string> {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const named = FLAG_NAMES.filter(([bit]) => flags & bit).map(([, name]) => name)
  const other = (flags & ~31) >>> 0
  if (other !== 0) named.push(`unknown 0x${other.toString(16)}`)
  yield `flags        ${flags} (${named.join(', ') || 'none: bytes'})`
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
  yield `pickle       ${payload[0] === 0x80 ? `protocol ${payload[1]}` : 'protocol 0 or 1'}`
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

async function stored(key: string | undefined, { server, file, flags }: Flags): Promise<EncodedValue> {
  if (file !== undefined) {
    if (key !== undefined) throw new UsageError('name a key or --file, not both')
    try {
      return { flags, data: await readFile(file) }
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error)
      throw new UsageError(`--file ${file} cannot be read: ${reason}`)
    }
  }
  if (key === undefined) throw new UsageError('name a key, or --file with the bytes of a value')
  const client = new Client(server ?? ['127.0.0.1:11211'], { encoding: rawEncoding })
  try {
    const item = (await client.get(key)) as EncodedValue | null | undefined
    if (!item) throw new UsageError(`there is no item ${key}`)
    return item
  } finally {
    client.disconnectAll()
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
