/** Plays a scenario on a real library, as fixtures/record/record.py does for the recordings, but on a user's machine. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { TypedJson } from '../values/index.js'
import { leftOut } from './play.js'
import { PythonLibrary, type PythonLibraryName } from './python-library.js'
import type { Recorded, Recording, Scenario, Step } from './scenario.js'
import type { RecordedStage } from './stage.js'

/** The library that runs the scenario. */
export interface RecordedLibrary {
  readonly library: PythonLibraryName
  readonly version: string
  /** pylibmc over the binary protocol. */
  readonly binary?: boolean
  /** The interpreter: its path and version. */
  readonly path: string
  readonly python: string
}

/** The time limit for the arrival of a command without a reply, in milliseconds. */
const timeToArrive = 50

/**
 * The library's outcome of every step.
 * @returns undefined when this version does not have a keyword of the scenario's constructor
 * @throws Error when the library crashes its process
 */
export async function recordScenario(
  name: string,
  scenario: Scenario,
  { library, version, binary, path, python }: RecordedLibrary,
  stage: RecordedStage,
): Promise<Recording | undefined> {
  const process = new PythonLibrary(path, library, python)
  try {
    await process.ready()
    const steps: (Recorded | null)[] = []
    const kwargs = { ...scenario.client?.[library], ...(binary ? { binary: true } : {}) }
    const servers = addresses(library, stage.addresses, scenario.weights)
    const tokens = new Map<string, TypedJson>()
    const clients = new Set<string>()
    for (const step of scenario.steps) {
      steps.push(null)
      if (leftOut(step, library, version)) continue
      if (step.call === undefined) {
        if (step.advance !== undefined) await process.ask({ advance: step.advance })
        else await withoutCall(step, stage)
        continue
      }
      const client = step.client ?? 'a'
      if (!clients.has(client)) {
        const made = await process.ask({ new: client, servers, kwargs })
        if ('raises' in made) {
          if (made.raises.message?.includes('__init__() got an unexpected keyword')) return undefined
          steps[steps.length - 1] = made
          break
        }
        clients.add(client)
      }
      const answer = await process.ask({
        client,
        call: step.call,
        args: (step.args ?? []).map((arg) => (arg === '$cas' ? tokens.get(client) : arg)),
        kwargs: step.kwargs ?? {},
        mask: step.mask ?? null,
      })
      if (step.call === 'gets' && 'result' in answer) keepToken(tokens, client, answer.result)
      steps[steps.length - 1] = answer
      if (library === 'pymemcache' || unanswered(step)) await sleep(timeToArrive)
    }
    return { name, library, version, ...(binary ? { binary } : {}), scenario, steps, wire: [] }
  } finally {
    await process.stop()
  }
}

function addresses(
  library: PythonLibraryName,
  plain: readonly string[],
  weights: readonly number[] | undefined,
): readonly TypedJson[] {
  if (!weights) return plain as readonly TypedJson[]
  return plain.map((address, index) =>
    library === 'pylibmc' ? `${address}:${weights[index]}` : { $tuple: [address, weights[index]!] },
  ) as readonly TypedJson[]
}

async function withoutCall(step: Step, stage: RecordedStage): Promise<void> {
  if (step.fault !== undefined) await stage.fault(step)
  else if (step.sleep !== undefined) await sleep(1000 * step.sleep)
  else await stage.raw(step)
}

function keepToken(tokens: Map<string, TypedJson>, client: string, result: TypedJson): void {
  const pair = result as { readonly $tuple?: readonly TypedJson[] } | null
  if (typeof pair === 'object' && pair?.$tuple) tokens.set(client, pair.$tuple[1] ?? null)
}

/** Whether the call may return before the server has received its command. */
function unanswered({ call, args = [], kwargs = {} }: Step): boolean {
  // delete's second positional argument is noreply from 1.60 on.
  return call === 'disconnect_all' || Boolean(kwargs.noreply) || (call === 'delete' && args.length > 1)
}
