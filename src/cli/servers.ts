/** The options of commands for servers and TLS. */
import type { Command } from 'commander'
import type { PlacedServer } from '../hashing/index.js'
import { parseServers, type ServerSpec } from '../strict/index.js'
import { hostAndPort, type ServerAddress } from '../transport/address.js'
import type { Tls } from '../transport/socket.js'
import { inputFile, largest } from './input-file.js'
import { UsageError } from './usage.js'

const highestPort = 65_535

/** Servers in pylibmc's grammar, with their weights. @throws UsageError naming the option */
export function serverSpecs(option: string, specs: readonly string[]): readonly ServerSpec[] {
  // pylibmc's grammar keeps 16 bits of any number, which would be another port than the typed one.
  const wrong = specs.find((spec) => Number(/^(?:\[.*\]|[^:/]*):(\d+)/.exec(spec)?.[1] ?? 0) > highestPort)
  if (wrong !== undefined) throw new UsageError(`${option} ${wrong}: a port is a number up to ${highestPort}`)
  const blank = specs.find((spec) => /\s/.test(spec) && !spec.startsWith('/'))
  if (blank !== undefined)
    throw new UsageError(
      `${option} ${JSON.stringify(blank)}: a server has no blanks; commas separate servers`,
    )
  try {
    return parseServers(specs)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(
      `${option} ${specs.join(',')}: ${reason} (host:port, host:port:weight, [v6]:port or /path)`,
    )
  }
}

/** @throws UsageError naming the option */
export function addresses(option: string, specs: readonly string[]): readonly ServerAddress[] {
  return serverSpecs(option, specs).map(({ address }) => address)
}

/** Servers as placements take them. @throws UsageError */
export function placedServers(specs: readonly string[]): readonly PlacedServer[] {
  return serverSpecs('--servers', specs).map(({ address, weight }) => ({ ...hostAndPort(address), weight }))
}

export interface TlsFlags {
  readonly tls?: boolean
  readonly tlsCa?: string
  readonly tlsInsecure?: boolean
}

export function tlsOptions(command: Command): Command {
  return command
    .option('--tls', 'use TLS to the servers')
    .option('--tls-ca <file>', 'certificate authority of the servers (PEM); implies --tls')
    .option('--tls-insecure', 'do not check the servers’ certificates; implies --tls')
}

/** @throws UsageError for a file that cannot be read */
export async function tlsOf({ tls, tlsCa, tlsInsecure }: TlsFlags): Promise<Tls | undefined> {
  if (!tls && tlsCa === undefined && !tlsInsecure) return undefined
  const ca =
    tlsCa === undefined ? undefined : await inputFile(`--tls-ca ${tlsCa}`, tlsCa, largest.certificates)
  return { ...(ca === undefined ? {} : { ca }), ...(tlsInsecure ? { rejectUnauthorized: false } : {}) }
}
