/** `memshim record`: a wire trace from packets, from a proxy, or from memcached's own log. */

import { createReadStream } from 'node:fs'
import { Command } from 'commander'
import { fileReason } from '../../ground/file-error.js'
import {
  type ProxyRoute,
  type RecordSettings,
  type RecordSummary,
  recordPackets,
  recordProxy,
  recordWatch,
  renderRecordSummary,
} from '../../record/index.js'
import { forTerminal } from '../for-terminal.js'
import { inputFile, largest } from '../input-file.js'
import { addresses, type TlsFlags, tlsOf, tlsOptions } from '../servers.js'
import { commaList, listed, refuseIdle, UsageError } from '../usage.js'

interface Flags extends TlsFlags {
  readonly out: string
  readonly listen?: string[]
  readonly upstream?: string[]
  readonly watch?: string[]
  readonly servers?: string[]
  readonly port?: string[]
  readonly library?: string
  readonly serverVersion?: string
  readonly about?: string
  readonly maxBytes?: string
  readonly files?: string
  readonly sample?: string
  readonly redact?: boolean
  readonly hashKeys?: string
  readonly duration?: string
  readonly json?: boolean
}

export function recordCommand(): Command {
  const command = new Command('record')
    .description(
      'Record a trace of running applications: from packets, through a proxy, or from memcached’s own log.',
    )
    .argument('[captures...]', 'pcap or pcapng files, plain or .gz; - = standard input (tcpdump -w -)')
    .requiredOption('-o, --out <file>', 'trace to write; gzip when the name ends in .gz; must not exist')
    .option(
      '--listen <address>',
      'proxy: address for the clients; repeatable, one for each --upstream',
      repeated,
    )
    .option('--upstream <address>', 'proxy: the server behind it; repeatable', repeated)
    .option('--watch <list>', 'servers whose log is watched: keys and results, no values', commaList)
    .option('--servers <list>', 'the application’s servers in its order', commaList)
    .option('--port <list>', 'packets: ports of the servers, without --servers; default 11211', commaList)
    .option(
      '--library <name==version>',
      'the application’s library, e.g. python-memcached==1.59; default: guessed; pymemcache must be given',
    )
    .option('--server-version <version>', 'version of memcached, for the audit’s replay')
    .option('--about <text>', 'name of the recorded program, for reports')
    .option('--max-bytes <size>', 'begin a new file at this size: 64K, 100M, 2G')
    .option('--files <n>', 'keep only the newest n files')
    .option('--sample <part>', 'record this part of the keys, e.g. 0.1; each key with all its commands')
    .option('--redact', 'replace values by others of the same type and length')
    .option('--hash-keys <file>', 'replace keys by hashes with the secret in this file')
    .option('--duration <seconds>', 'stop after this time; otherwise at the end of the input or at Ctrl-C')
    .option('--json', 'print the summary as JSON')
  return tlsOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ tcpdump -i any -s 0 -B 32768 -U -w - 'tcp port 11211' | memshim record - --out app.jsonl.gz
  $ memshim record monday.pcapng tuesday.pcap.gz --servers 10.0.0.1:11211,10.0.0.2:11211 --out app.jsonl
  $ memshim record --listen 127.0.0.1:12211 --upstream cache1:11211 --listen 127.0.0.1:12212 --upstream cache2:11211 --out app.jsonl
  $ memshim record --watch cache1:11211,cache2:11211 --duration 600 --out app.jsonl
  $ memshim record - --out app.jsonl.gz --max-bytes 1G --files 5 --sample 0.1 --redact --hash-keys secret.txt

Exit codes: 0 recorded, 2 bad usage, a damaged capture, or a server that cannot be reached or watched.
What each source sees and cannot see: docs/tools/record.md.`,
    )
    .action(run)
}

async function run(captures: string[], flags: Flags, command: Command): Promise<void> {
  checkSource(captures, flags, command)
  const stop = new AbortController()
  const end = () => stop.abort()
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  const seconds = flags.duration === undefined ? undefined : positive('--duration', flags.duration)
  const timer = seconds === undefined ? undefined : setTimeout(end, Math.min(seconds * 1000, 2 ** 31 - 1))
  try {
    const settings = { ...(await settingsOf(flags)), signal: stop.signal }
    const summary = await record(captures, flags, settings, stop.signal)
    process.stdout.write(
      flags.json ? `${JSON.stringify(summary, null, 2)}\n` : forTerminal(renderRecordSummary(summary)),
    )
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', end)
    process.off('SIGTERM', end)
  }
}

/** @throws UsageError unless there is one source, and for typed options that do not concern it */
function checkSource(captures: readonly string[], flags: Flags, command: Command): void {
  const { listen = [], upstream = [], watch } = flags
  const proxied = listen.length > 0 || upstream.length > 0
  if ([captures.length > 0, proxied, watch !== undefined].filter(Boolean).length !== 1)
    throw new UsageError('name one source: captures (or -), --listen with --upstream, or --watch')
  if (captures.length === 0) refuseIdle(command, ['port'], 'is about captures, and none are named')
  else {
    const what = 'is about connections to servers, and captures are read from files'
    refuseIdle(command, ['tls', 'tlsCa', 'tlsInsecure'], what)
    if (flags.servers) refuseIdle(command, ['port'], 'is not needed: --servers name their ports')
  }
}

async function record(
  captures: readonly string[],
  flags: Flags,
  settings: RecordSettings,
  signal: AbortSignal,
): Promise<RecordSummary> {
  const { listen = [], upstream = [], watch } = flags
  const tls = await tlsOf(flags)
  if (watch !== undefined)
    return recordWatch({ ...settings, watched: addresses('--watch', watch), ...(tls ? { tls } : {}) })
  if (captures.length === 0) {
    if (listen.length !== upstream.length)
      throw new UsageError(
        `each --upstream needs a --listen: ${listen.length} --listen and ${upstream.length} --upstream are given`,
      )
    const from = addresses('--listen', listen)
    const routes = addresses('--upstream', upstream).map(
      (to, i): ProxyRoute => ({ listen: from[i]!, upstream: to }),
    )
    const proxy = await recordProxy({ ...settings, routes, ...(tls ? { tls } : {}) })
    process.stderr.write(
      `${proxy.addresses.map((at, i) => `listening on ${named(at)} for ${upstream[i]}\n`).join('')}Ctrl-C ends the recording.\n`,
    )
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    return proxy.close()
  }
  const inputs = captures.map((name) =>
    name === '-'
      ? { name: 'standard input', stream: process.stdin }
      : { name, stream: createReadStream(name) },
  )
  const ports = flags.port?.map((text) => positive('--port', text))
  try {
    return await recordPackets(inputs, { ...settings, ...(ports ? { ports } : {}) })
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    // Errors of reading do not name the file.
    if (typeof code === 'string')
      throw new UsageError(`${path ?? listed(captures)} cannot be read: ${fileReason(error)}`)
    throw error
  }
}

async function settingsOf(flags: Flags): Promise<RecordSettings> {
  const { out, servers, library, serverVersion, about, maxBytes, files, sample, redact, hashKeys } = flags
  return {
    out,
    ...(servers ? { servers } : {}),
    ...(library === undefined ? {} : { library: libraryOf(library) }),
    ...(serverVersion === undefined ? {} : { serverVersion }),
    ...(about === undefined ? {} : { about }),
    ...(maxBytes === undefined ? {} : { maxBytes: size(maxBytes) }),
    ...(files === undefined ? {} : { files: positive('--files', files) }),
    ...(sample === undefined ? {} : { sample: partOfKeys('--sample', sample) }),
    ...(redact ? { redact } : {}),
    ...(hashKeys === undefined ? {} : { hashKeys: await secretIn(hashKeys) }),
  }
}

function libraryOf(text: string): NonNullable<RecordSettings['library']> {
  const [, name, version] = /^(python-memcached|pylibmc|pymemcache)==(\d[\w.]*)$/.exec(text) ?? []
  if (name === undefined || version === undefined)
    throw new UsageError(
      `--library ${text}: python-memcached==VERSION, pylibmc==VERSION or pymemcache==VERSION is needed`,
    )
  return { name: name as NonNullable<RecordSettings['library']>['name'], version }
}

async function secretIn(path: string): Promise<string> {
  return (await inputFile(`--hash-keys ${path}`, path, largest.settings)).toString('utf8').trim()
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value
  throw new UsageError(`${option} ${text}: a number above 0 is needed`)
}

/** @throws UsageError */
function partOfKeys(option: string, text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value > 0 && value <= 1) return value
  throw new UsageError(
    `${option} ${text}: a part of the keys above 0 and up to 1 is needed, e.g. 0.1 for a tenth`,
  )
}

function size(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([KMG]?)$/i.exec(text) ?? []
  if (digits === undefined) throw new UsageError(`--max-bytes ${text}: a size like 64K, 100M or 2G is needed`)
  return Number(digits) * 1024 ** ['', 'K', 'M', 'G'].indexOf(unit.toUpperCase())
}

function repeated(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value]
}

function named(address: ReturnType<typeof addresses>[number]): string {
  return address.transport === 'unix' ? address.path : `${address.host}:${address.port}`
}
