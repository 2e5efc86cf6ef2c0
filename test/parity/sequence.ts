/**
 * A sequence of operations that the real library and our client both go through. Its parts are those of a scenario (docs/formats.md), so
 * that a sequence that fails can be committed as one.
 */
import type { TypedJson } from '../../src/values/index.js'

export interface CallStep {
  readonly call: string
  readonly args: readonly TypedJson[]
  readonly kwargs?: Readonly<Record<string, TypedJson>>
  /** Default `a`. */
  readonly client?: string
  /** What is left of the result (docs/formats.md): its type, or the types of some names. */
  readonly mask?: TypedJson
}

/** One call, a fault of one server, bytes sent past the client, or time that passes for both clients. */
export type SequenceStep =
  | CallStep
  | { readonly fault: string; readonly server: number; readonly [field: string]: unknown }
  | { readonly raw: string; readonly server: number }
  /** Seconds by which the clocks of both clients go forward. */
  | { readonly advance: number }

export interface Sequence {
  readonly servers: number
  /** One per server. */
  readonly weights?: readonly number[]
  /** Keywords of the constructor, as typed JSON. */
  readonly kwargs: Readonly<Record<string, TypedJson>>
  readonly steps: readonly SequenceStep[]
}

/** The text of a scenario file, ready to be put under fixtures/scenarios/. */
export function scenarioFile(library: string, { servers, weights, kwargs, steps }: Sequence): string {
  const head = {
    format: 'memshim-scenario/1',
    about: 'found by the random comparison with the real library',
    spec: [library],
    libraries: [library],
    servers,
    ...(weights ? { weights } : {}),
    ...(Object.keys(kwargs).length > 0 ? { client: { [library]: kwargs } } : {}),
  }
  const lines = steps.map((step) => `    ${JSON.stringify(step)}`).join(',\n')
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "steps": [\n${lines}\n  ]\n}\n`
}
