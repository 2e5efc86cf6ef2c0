/**
 * Amazon ElastiCache's auto discovery, beyond pylibmc (which hangs on it, docs/reference/pylibmc.md#1): the configuration endpoint lists the cluster's nodes.
 * Format: `config get cluster` answers with a version, then `host|address|port` of every node, separated by blanks.
 */
import { checkText, shown } from '../ground/arguments.js'
import { DEFAULT_LIMITS } from '../protocol/protocol.js'
import * as requests from '../protocol/requests.js'
import type { ItemsReply } from '../protocol/wire.js'
import { ValueError } from '../python/errors.js'
import { ownOptions } from '../python/options.js'
import { Connection } from '../transport/connection.js'
import { checkConnecting } from '../transport/connection-options.js'
import type { Tls } from '../transport/socket.js'
import { parseServer } from './server-spec.js'

/** The nodes of an ElastiCache cluster, as its configuration endpoint names them. */
export interface Cluster {
  /** Counts the changes of the cluster. */
  readonly version: number
  /** `host:port` of every node, in the endpoint's order, for `new Client`. */
  readonly servers: readonly string[]
}

/** Options of the request to the configuration endpoint; times in milliseconds. */
export interface DiscoveryOptions {
  /** Milliseconds for the connection and the answer. Default 5000. */
  readonly timeout?: number | undefined
  readonly tls?: Tls | undefined
}

/** Bytes of an answer. A cluster has at most 300 nodes of about 100 bytes each. */
const longestAnswer = 256 * 1024

/**
 * Asks a configuration endpoint for the nodes of its cluster. The answer is not trusted: it can only name hosts and ports, no Unix sockets.
 * @param endpoint `host:port`
 * @throws TransportError when it cannot be reached, or answers with more than 256 KiB; ValueError when it is not a configuration endpoint
 * or its answer is invalid; TypeError, RangeError for wrong arguments
 */
export async function discoverCluster(endpoint: string, options: DiscoveryOptions = {}): Promise<Cluster> {
  checkText('endpoint', endpoint)
  const connecting = ownOptions(options, ['timeout', 'tls'])
  checkConnecting(connecting)
  const limits = { ...DEFAULT_LIMITS, maxData: longestAnswer }
  const connection = new Connection(parseServer(endpoint).address, { ...connecting, limits })
  try {
    const { items, end } = await ask(connection)
    const [item] = items
    if (!item)
      throw new ValueError(
        `${shown(endpoint)} is not a configuration endpoint: it answers ${shown(end.line)}`,
      )
    return parseCluster(item.data.toString(), shown(endpoint))
  } finally {
    connection.close()
  }
}

async function ask(connection: Connection): Promise<ItemsReply> {
  return (await connection.exchange(requests.config)) as ItemsReply
}

/** A host name or an IP address. A path would be the address of a Unix socket, and control characters reach logs. */
const hostForm = /^[A-Za-z0-9_.:%-]{1,255}$/

function parseCluster(text: string, endpoint: string): Cluster {
  const [version = '', nodes = ''] = text.split('\n')
  const servers = nodes
    .trim()
    .split(/ +/)
    .map((node) => {
      const [host = '', address = '', port = ''] = node.split('|')
      const name = host || address
      const number = /^\d{1,5}$/.test(port) ? Number(port) : 0
      if (!hostForm.test(name) || number < 1 || number > 65535)
        throw new ValueError(`${endpoint} names the node ${shown(node)}, not host|address|port`)
      return `${name.includes(':') ? `[${name}]` : name}:${number}`
    })
  if (!/^\d{1,15}$/.test(version.trim()))
    throw new ValueError(`${endpoint} gives the version ${shown(version)}, not a number`)
  return { version: Number(version), servers }
}
