/**
 * Amazon ElastiCache's auto discovery, beyond pylibmc (which hangs on it, docs/reference/pylibmc.md#1): the configuration endpoint lists the cluster's nodes.
 * Format: `config get cluster` answers with a version, then `host|address|port` of every node, separated by blanks.
 */
import * as requests from '../protocol/requests.js'
import type { ItemsReply } from '../protocol/wire.js'
import { ValueError } from '../python/errors.js'
import { Connection } from '../transport/connection.js'
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

/**
 * Asks a configuration endpoint for the nodes of its cluster.
 * @param endpoint `host:port`
 * @throws TransportError when it cannot be reached; ValueError when it is not a configuration endpoint or its answer is invalid
 */
export async function discoverCluster(endpoint: string, options: DiscoveryOptions = {}): Promise<Cluster> {
  const connection = new Connection(parseServer(endpoint).address, options)
  try {
    const { items, end } = await ask(connection)
    const [item] = items
    if (!item) throw new ValueError(`${endpoint} is not a configuration endpoint: it answers ${end.line}`)
    return parseCluster(item.data.toString(), endpoint)
  } finally {
    connection.close()
  }
}

async function ask(connection: Connection): Promise<ItemsReply> {
  return (await connection.exchange(requests.config)) as ItemsReply
}

function parseCluster(text: string, endpoint: string): Cluster {
  const [version = '', nodes = ''] = text.split('\n')
  const servers = nodes
    .trim()
    .split(/ +/)
    .map((node) => {
      const [host = '', address = '', port] = node.split('|')
      if (!/^\d{1,5}$/.test(port ?? '') || (host === '' && address === ''))
        throw new ValueError(`${endpoint} names the node ${JSON.stringify(node)}, not host|address|port`)
      const name = host || address
      return `${name.includes(':') ? `[${name}]` : name}:${port}`
    })
  if (!/^\d+$/.test(version.trim()))
    throw new ValueError(`${endpoint} gives the version ${JSON.stringify(version)}, not a number`)
  return { version: Number(version), servers }
}
