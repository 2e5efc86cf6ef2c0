/**
 * Servers whose address no connection can be opened to: Unix sockets that are missing and paths that are too long. A trace has no line about them,
 * but the exceptions of pymemcache's calls name them, and the length of a path is in the constructor call. Source: docs/reference/pymemcache.md#3.
 */
import { SocketError } from '../../pymemcache/errors.js'
import { fromTypedJson } from '../../values/index.js'
import type { Outcome } from '../compare/outcome.js'
import { truthy } from '../methods/conversions.js'
import type { CallEvent, Construction } from '../traces/trace.js'
import type { Fleet } from './fleet.js'
import type { Placed } from './topology.js'

/** Bytes of a Unix socket's path on Linux, with the NUL at its end. */
const LONGEST_PATH = 108

/** errno names, by the exceptions that opening a Unix socket raises. */
const errors: Readonly<Record<string, string>> = {
  'builtins.FileNotFoundError': 'ENOENT',
  'builtins.PermissionError': 'EACCES',
}

interface KnownClient {
  readonly servers: readonly Placed[]
  /** A failure may be in a result, too. */
  readonly hides: boolean
}

export class UnreachableServers {
  private readonly clients = new Map<string, KnownClient>()
  /** By index; those of paths that are too long have no errno name. */
  private readonly refused = new Map<number, string | undefined>()

  constructor(private readonly fleets: readonly Fleet[]) {}

  constructed(client: string, servers: readonly Placed[], made: Construction): void {
    const unix = servers.filter(({ name }) => pathOf(name) !== undefined)
    if (unix.length === 0) return
    const inner = made.inner ?? made
    const hides = inner.class !== 'Client' || truthy(fromTypedJson(inner.kwargs.ignore_exc ?? null))
    this.clients.set(client, { servers, hides })
    for (const { index, name } of unix)
      if (Buffer.byteLength(pathOf(name)!) >= LONGEST_PATH) {
        this.refused.set(index, undefined)
        this.refuse(index, new SocketError('builtins.OSError', 'AF_UNIX path too long'))
      }
  }

  /**
   * What the outcome of a call says about its server. A `set` returns False only if the client hides the failure of its server.
   * @param server of the call's key, if the client has several
   */
  before({ client, call, outcome: recorded }: CallEvent, server: () => number | undefined): void {
    const known = this.clients.get(client)
    if (!known || !recorded) return
    const index = known.servers.length === 1 ? known.servers[0]!.index : server()
    if (index === undefined) return
    const code =
      'raises' in recorded
        ? errors[recorded.raises.class]
        : known.hides && call === 'set' && recorded.result === false
          ? 'ENOENT'
          : undefined
    if (code !== undefined) {
      if (this.refused.has(index)) return
      this.refused.set(index, code)
      this.refuse(index, Object.assign(new Error(`connect ${code}`), { code }))
    } else if (this.refused.get(index) !== undefined && isAnswer(recorded, known.hides)) {
      this.refused.delete(index)
      this.refuse(index, undefined)
    }
  }

  private refuse(index: number, error: Error | undefined): void {
    for (const fleet of this.fleets) fleet.refuse?.(index, error)
  }
}

/** The path of a Unix socket in the forms of the three libraries; undefined for other servers. */
function pathOf(name: string | undefined): string | undefined {
  if (name === undefined) return undefined
  const path = name.replace(/^unix:/, '')
  return path !== name || path.startsWith('/') ? path : undefined
}

/** What a client returns instead of a failure is None, False or empty. */
function isAnswer(recorded: Outcome, hides: boolean): boolean {
  if (!('result' in recorded)) return false
  return (
    !hides ||
    recorded.result === true ||
    (typeof recorded.result === 'object' && recorded.result !== null && '$bytes' in recorded.result)
  )
}
