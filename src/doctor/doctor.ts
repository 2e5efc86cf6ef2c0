/**
 * Examines an endpoint: kind, version, limits, latency, protocols, and the calls of an application that it would refuse.
 * Only commands that change nothing are sent. Source of the answers: docs/reference/servers.md, docs/reference/field.md#7.
 */
import { checkOptionNames } from '../python/options.js'
import { parseServers } from '../strict/index.js'
import { addressName, type ServerAddress } from '../transport/address.js'
import { checkConnecting } from '../transport/connection-options.js'
import { LineConnection } from '../transport/line-connection.js'
import type { Tls } from '../transport/socket.js'

/** The options of an examination. */
export interface DoctorOptions {
  /** In pylibmc's grammar. */
  readonly servers: readonly string[]
  readonly tls?: Tls | undefined
  /** Milliseconds for connecting and for each answer. Default 3000. */
  readonly timeout?: number | undefined
  /** Commands that the application sends, by their names in the text protocol, with their numbers: `usedCommands` of a trace. */
  readonly used?: ReadonlyMap<string, number> | undefined
}

export interface DoctorReport {
  readonly format: 'memshim-doctor/1'
  readonly servers: readonly Examined[]
}

/** One endpoint. */
export interface Examined {
  readonly server: string
  /** `memcached`, a compatible server, or the problem. */
  readonly kind: string
  readonly version?: string | undefined
  /** Milliseconds from request to answer: the median of 20, and the longest. */
  readonly latency?: { readonly median: number; readonly longest: number }
  /** Settings that limit an application, by memcached's names. */
  readonly settings: Readonly<Record<string, string>>
  /** Commands and protocols, and whether the endpoint has them. */
  readonly abilities: Readonly<Record<string, boolean>>
  readonly refused: readonly { readonly command: string; readonly calls: number }[]
  readonly findings: readonly Finding[]
}

/** One finding. `problem` makes the command exit with 1. */
export interface Finding {
  readonly level: 'problem' | 'warning' | 'note'
  readonly text: string
}

/** A server list that cannot be read. */
export class DoctorError extends RangeError {
  override readonly name = 'DoctorError'
}

const questions = 20
const settingNames = [
  'item_size_max',
  'maxconns',
  'maxbytes',
  'evictions',
  'cas_enabled',
  'auth_enabled_sasl',
  'auth_enabled_ascii',
  'ssl_enabled',
  'binding_protocol',
  'lru_crawler',
  'flush_enabled',
  'dump_enabled',
  'client_flags_size',
  'num_threads',
]

/** Servers are examined one after the other. @throws DoctorError (rejection) for servers that cannot be read; TypeError for unknown options; TypeError, RangeError for options of other kinds */
export async function doctor(options: DoctorOptions): Promise<DoctorReport> {
  checkOptionNames(options, ['servers', 'tls', 'timeout', 'used'])
  checkConnecting(options)
  let addresses: readonly ServerAddress[]
  try {
    addresses = parseServers(options.servers).map(({ address }) => address)
  } catch (error) {
    throw new DoctorError(`servers: ${error instanceof Error ? error.message : String(error)}`)
  }
  const servers: Examined[] = []
  for (const address of addresses) servers.push(await examine(address, options))
  return { format: 'memshim-doctor/1', servers }
}

async function examine(
  address: ServerAddress,
  { tls, timeout = 3000, used }: DoctorOptions,
): Promise<Examined> {
  const server = addressName(address)
  const ask = async (
    text: string,
    whole: (line: string) => boolean,
  ): Promise<readonly string[] | undefined> => {
    const connection = await LineConnection.open(address, { tls, timeout })
    try {
      connection.send(`${text}\r\n`)
      const lines: string[] = []
      for (let line = await connection.line(); ; line = await connection.line()) {
        lines.push(line)
        if (whole(line) || isError(line) || lines.length >= mostLines) return lines
      }
    } catch {
      return undefined
    } finally {
      connection.close()
    }
  }
  const one = async (text: string) => (await ask(text, () => true))?.[0]
  let opened: LineConnection
  try {
    opened = await LineConnection.open(address, { tls, timeout })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return failed(server, 'unreachable', `${reason}: ${adviceFor(reason, tls !== undefined)}`)
  }
  opened.close()
  const first = await one('version')
  const settingLines = (await ask('stats settings', (line) => line === 'END')) ?? []
  const settings = Object.fromEntries(
    settingLines.flatMap((line) => {
      const [, name, value] = /^STAT (\S+) (.*)$/.exec(line) ?? []
      return name !== undefined && settingNames.includes(name) ? [[name, value!] as const] : []
    }),
  )
  const version = /^VERSION (.+)$/.exec(first ?? '')?.[1]
  if (first !== undefined && /unauthenticated|authentication/i.test(first))
    return failed(
      server,
      'memcached with text authentication',
      `it answers ${JSON.stringify(first)}: it was started with -Y; the Python libraries cannot log in to it`,
    )
  if (first === undefined || (version === undefined && !isError(first))) {
    const binary = await speaksBinary(address, tls, timeout)
    if (binary)
      return failed(
        server,
        'memcached with only the binary protocol',
        'it does not answer text commands: it probably requires SASL (-S); use binary=True with a user name',
      )
    return failed(
      server,
      'no memcached',
      first === undefined
        ? 'it accepts the connection and answers nothing: is it a TLS port (--tls), or a proxy that closes on "version" (twemproxy up to 0.4)?'
        : `it answers ${JSON.stringify(first.slice(0, 80))} to "version"`,
    )
  }
  const abilities = {
    'binary protocol': await speaksBinary(address, tls, timeout),
    'meta commands': (await one('mn')) === 'MN',
    gat: !isError((await one('gat 0 memshim-doctor')) ?? 'ERROR'),
    touch: !isError((await one('touch memshim-doctor 0')) ?? 'ERROR'),
    stats: (await ask('stats', (line) => line === 'END'))?.at(-1) === 'END',
    'stats settings': settingLines.at(-1) === 'END',
    watch: (await one('watch fetchers')) === 'OK',
  }
  const latency = await latencyOf(address, tls, timeout)
  const kind = kindOf(version, abilities, settings)
  const refused = [...(used ?? [])].flatMap(([command, calls]) =>
    refuses(command, abilities, settings) ? [{ command, calls }] : [],
  )
  return {
    server,
    kind,
    ...(version === undefined ? {} : { version }),
    ...(latency ? { latency } : {}),
    settings,
    abilities,
    refused,
    findings: findings(kind, settings, abilities, refused, latency?.median),
  }
}

const mostLines = 2000

/** @param reason why there is no connection, in Node's or OpenSSL's words */
function adviceFor(reason: string, tls: boolean): string {
  if (tls && /certificate|\bcert\b|altname/i.test(reason))
    return "name the servers' authority with --tls-ca and each server as in its certificate, or do not check it (--tls-insecure)"
  if (tls && !/E[A-Z]{4,}/.test(reason)) return 'is it a server without TLS?'
  return 'is the address right, is memcached running, does a firewall block it?'
}

function isError(line: string): boolean {
  return /^(ERROR|CLIENT_ERROR|SERVER_ERROR)/.test(line)
}

function failed(server: string, kind: string, text: string): Examined {
  return { server, kind, settings: {}, abilities: {}, refused: [], findings: [{ level: 'problem', text }] }
}

/** A binary NOOP. */
async function speaksBinary(address: ServerAddress, tls: Tls | undefined, timeout: number): Promise<boolean> {
  let connection: LineConnection | undefined
  try {
    connection = await LineConnection.open(address, { tls, timeout })
    connection.send(`\x80\x0a${'\0'.repeat(22)}`)
    return (await connection.exactly(24))[0] === 0x81
  } catch {
    return false
  } finally {
    connection?.close()
  }
}

async function latencyOf(address: ServerAddress, tls: Tls | undefined, timeout: number) {
  let connection: LineConnection | undefined
  try {
    connection = await LineConnection.open(address, { tls, timeout })
    const times: number[] = []
    for (let i = 0; i < questions; i++) {
      const began = performance.now()
      connection.send('get memshim-doctor\r\n')
      await connection.line()
      times.push(performance.now() - began)
    }
    times.sort((a, b) => a - b)
    const rounded = (value: number) => Number(value.toFixed(3))
    return { median: rounded(times[questions / 2]!), longest: rounded(times.at(-1)!) }
  } catch {
    return undefined
  } finally {
    connection?.close()
  }
}

type Abilities = Readonly<Record<string, boolean>>

function kindOf(version: string | undefined, abilities: Abilities, settings: Examined['settings']): string {
  if (version === undefined)
    return abilities['stats settings'] ? 'memcached' : 'a proxy that hides its version'
  if (/ DF$/.test(version)) return 'Dragonfly'
  if (/mcrouter/i.test(version)) return 'mcrouter'
  if (/twemproxy|nutcracker/i.test(version)) return 'twemproxy'
  if (settings.item_size_max !== undefined) return 'memcached'
  return abilities.stats
    ? 'a server compatible with memcached, without "stats settings"'
    : 'a proxy or a service, without statistics'
}

function refuses(command: string, abilities: Abilities, settings: Examined['settings']): boolean {
  if (command === 'binary') return !abilities['binary protocol']
  if (command === 'flush_all') return settings.flush_enabled === 'no'
  if (command in abilities) return abilities[command] === false
  return /^m[gsdan]$/.test(command) && !abilities['meta commands']
}

function findings(
  kind: string,
  settings: Examined['settings'],
  abilities: Abilities,
  refused: Examined['refused'],
  median: number | undefined,
): readonly Finding[] {
  const found: Finding[] = refused.map(({ command, calls }) => ({
    level: 'problem',
    text: `the application's ${command} (${calls} commands in the trace) would be refused here`,
  }))
  const note = (level: Finding['level'], text: string) => found.push({ level, text })
  if (kind !== 'memcached')
    note('warning', `this is ${kind}: docs/reference/servers.md#3 lists the commands that it refuses`)
  const limit = Number(settings.item_size_max)
  if (settings.item_size_max !== undefined && limit !== 1024 * 1024)
    note(
      'warning',
      `it takes items of ${limit} bytes (-I): python-memcached refuses to send more than 1 MiB unless server_max_value_length says ${limit}`,
    )
  if (settings.cas_enabled === 'no') note('warning', 'CAS is off (-C): gets and cas do not work')
  if (settings.evictions === 'off')
    note('warning', 'evictions are off (-M): sets fail when the memory is full')
  if (settings.auth_enabled_sasl === 'yes')
    note('note', 'SASL is on: pylibmc needs binary=True, username and password')
  if (settings.lru_crawler === 'no')
    note('note', 'the LRU crawler is off: memshim scan cannot list its items')
  if (abilities['binary protocol'] === false)
    note('note', 'no binary protocol: pylibmc must not use binary=True')
  if (abilities.touch === false) note('warning', 'no touch: both libraries fail with it')
  if (median !== undefined && median > 5)
    note(
      'warning',
      `an answer takes ${median} ms: use getMulti and setMulti, which need one round trip per server`,
    )
  return found
}
