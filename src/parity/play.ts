/** Plays a scenario on one of our clients and returns its outcomes, in the form of the recordings. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Outcome, raised } from '../audit/compare/outcome.js'
import { type AuditedClient, invoke } from '../audit/methods/calls.js'
import type { LibraryName, PythonCall } from '../audit/methods/python-signatures.js'
import { compareVersions, versionAtLeast } from '../rules/version.js'
import { fromTypedJson, PyFloat, type TypedJson } from '../values/index.js'
import type { Recorded, Recording } from './scenario.js'
import type { Stage } from './stage.js'

/** A client that makes Python's calls itself. */
export interface PlayedClient {
  /** Never throws. */
  call(call: PythonCall): Promise<Outcome>
  disconnectAll(): void
}

/** Constructs the client under test from the library's keywords. */
export interface Cast {
  readonly library: LibraryName
  /** The version whose signatures its methods have; default the recording's version. */
  readonly version?: string | undefined
  /** @param now the scenario's clock, in seconds */
  construct(
    servers: readonly (string | readonly [string, number])[],
    kwargs: Readonly<Record<string, unknown>>,
    now: () => number,
  ): AuditedClient | PlayedClient
}

/** Milliseconds, and python-memcached's seconds. */
const timeouts = ['_poll_timeout', 'connect_timeout', 'socket_timeout']
/** Real seconds of a sleep on a stage with its own clock, so that sent bytes arrive. */
const settling = 0.02

/** One outcome per step; null for steps that are not a call or that the recording left out. */
export async function play(recording: Recording, stage: Stage, cast: Cast): Promise<(Recorded | null)[]> {
  const { scenario, library, version } = recording
  const clients = new Map<string, AuditedClient | PlayedClient>()
  const tokens = new Map<string, unknown>()
  const outcomes: (Recorded | null)[] = []
  const kwargs = withPatience(
    Object.fromEntries(
      Object.entries(scenario.client?.[library] ?? {}).map(([name, value]) => [
        name,
        fromTypedJson(value as TypedJson),
      ]),
    ),
    stage.patience ?? 1,
  )
  // Only the scenario's sleeps advance the clients' clock, independent of the speed of the machine.
  const begun = Math.floor(Date.now() / 1000)
  let slept = 0
  const { weights } = scenario
  const servers = stage.addresses.map((address, i) => (weights ? ([address, weights[i]!] as const) : address))
  try {
    for (const [index, step] of scenario.steps.entries()) {
      outcomes.push(null)
      const recorded = recording.steps[index]
      if (step.call === undefined) {
        if (recorded === undefined || leftOut(step, library, version)) continue
        if (step.fault !== undefined) await stage.fault(step)
        else if (step.sleep !== undefined) {
          slept += step.sleep
          stage.pass?.(step.sleep)
          await sleep(1000 * (stage.pass ? Math.min(step.sleep, settling) : step.sleep))
        } else if (step.advance !== undefined) slept += step.advance
        else await stage.raw(step)
        continue
      }
      if (!recorded) continue
      const name = step.client ?? 'a'
      let client = clients.get(name)
      if (!client) {
        try {
          client = cast.construct(servers, kwargs, () => begun + slept)
        } catch (error) {
          outcomes[index] = shown(raised(error))
          break
        }
        clients.set(name, client)
      }
      const args = (step.args ?? []).map((value) =>
        value === '$cas' ? tokens.get(name) : fromTypedJson(value as TypedJson),
      )
      const named = Object.fromEntries(
        Object.entries(step.kwargs ?? {}).map(([key, value]) => [key, fromTypedJson(value as TypedJson)]),
      )
      const call = { call: step.call, args, kwargs: named }
      const outcome = await ('call' in client
        ? client.call(call)
        : invoke(client, { name: cast.library, version: cast.version ?? version }, call))
      if (step.call === 'gets' && 'result' in outcome) {
        const pair = outcome.result as { readonly $tuple?: readonly TypedJson[] } | null
        const token =
          pair && typeof pair === 'object' && pair.$tuple ? fromTypedJson(pair.$tuple[1] ?? null) : null
        if (token !== null) tokens.set(name, token)
      }
      outcomes[index] = shown(outcome, step.mask as string | undefined)
    }
  } finally {
    for (const client of clients.values()) client.disconnectAll()
  }
  return outcomes
}

function withPatience(
  kwargs: Readonly<Record<string, unknown>>,
  patience: number,
): Readonly<Record<string, unknown>> {
  const longer = ([name, value]: readonly [string, unknown]): [string, unknown] => {
    if (name === 'behaviors' && typeof value === 'object' && value !== null)
      return [
        name,
        Object.fromEntries((value instanceof Map ? [...value] : Object.entries(value)).map(longer)),
      ]
    return [name, timeouts.includes(name) ? multiplied(value, patience) : value]
  }
  return patience === 1 ? kwargs : Object.fromEntries(Object.entries(kwargs).map(longer))
}

/** Scenarios write Python's floats as such, and integers as numbers; `None` stays. */
function multiplied(value: unknown, patience: number): unknown {
  if (value instanceof PyFloat) return new PyFloat(value.value * patience)
  return typeof value === 'number' ? value * patience : value
}

/** Whether the step is for other libraries or versions. */
export function leftOut(step: Readonly<Record<string, unknown>>, library: string, version: string): boolean {
  const only = step.only as string | undefined
  if (only === undefined) return false
  const match = /^([a-z-]+)(?:(>=|<|=)([\d.]+))?$/.exec(only)
  if (match?.[1] !== library) return true
  if (match[2] === undefined) return false
  if (match[2] === '=') return compareVersions(version, match[3]!) !== 0
  const newer = versionAtLeast(version, match[3]!)
  return match[2] === '>=' ? !newer : newer
}

/** Ports vary; of statistics only the names are recorded, of behaviors all except the kernel's sizes of socket buffers. */
function shown(outcome: Outcome, mask?: string): Recorded {
  if ('raises' in outcome) return outcome as Recorded
  if (mask === 'behaviors') {
    const settings = Object.entries(outcome.result as Record<string, unknown>)
    return { result: Object.fromEntries(settings.filter(([name]) => !name.startsWith('_socket_'))) }
  }
  if (mask !== 'names') return outcome as Recorded
  const rows = outcome.result as readonly { readonly $tuple: readonly [unknown, Record<string, unknown>] }[]
  return {
    result: {
      $stats: rows.map(({ $tuple: [server, stats] }) => [
        text(server).replace(/127\.0\.0\.1:\d+/, '127.0.0.1:…'),
        namesOf(stats).sort(),
      ]),
    },
  }
}

/** Names that look like numbers make it a dict of pairs. */
function namesOf(stats: Record<string, unknown>): string[] {
  return Array.isArray(stats.$dict) ? stats.$dict.map(([name]) => name as string) : Object.keys(stats)
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : (value as { readonly $bytes: string }).$bytes
}
