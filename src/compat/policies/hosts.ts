/** The fields of python-memcached's host objects. Source: docs/reference/python-memcached.md#2. */
import type { Selection } from '../../pipeline/slots.js'
import { ProbingSelection } from './probing.js'

/** The state of one server: alive, or dead until a time in seconds. */
export interface HostState {
  /** `host:port`, `[v6]:port` or the path of the socket. */
  readonly name: string
  /** The number of its buckets; 0 or less: never selected. */
  readonly weight: number
  /** Unix time in seconds until which it is not used; 0 = alive. Always 0 with `failover` off. */
  readonly deadUntil: number
  readonly dead: boolean
  /** Whether its connection is open. */
  readonly connected: boolean
}

export function hostStates(selection: Selection, now: number): readonly HostState[] {
  const probing = probingOf(selection)
  return selection.servers.map((server) => {
    const deadUntil = probing?.deadUntil(server) ?? 0
    const { name, weight, exchange } = server
    return { name, weight, deadUntil, dead: deadUntil > now, connected: exchange.state === 'ready' }
  })
}

/** The probe loop, when the switch `failover` is on. */
export function probingOf(selection: Selection): ProbingSelection | undefined {
  const inner = 'inner' in selection ? selection.inner : selection
  return inner instanceof ProbingSelection ? inner : undefined
}
