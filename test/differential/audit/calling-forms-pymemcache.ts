/** The recordings of `fixtures/record/calls/calling_forms_pymemcache.py`: what real pymemcache does with the programs of calling-forms*.json. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Outcome, TargetOptions } from '../../../src/audit/index.js'
import type { TypedJson } from '../../../src/values/index.js'
import { fixtures } from '../support/recordings.js'
import { type CallingForms, readCallingForms } from './calling-forms.js'

interface File {
  readonly constructors: Readonly<
    Record<
      string,
      readonly {
        readonly servers: readonly TypedJson[]
        readonly kwargs: Readonly<Record<string, TypedJson>>
        readonly outcome: Outcome
        /** Of the first call, where the constructor returned. */
        readonly get: Outcome | null
      }[]
    >
  >
  readonly runs: readonly {
    readonly library: string
    readonly programs: string
    /** The client's options. */
    readonly kwargs: Readonly<Record<string, TypedJson>>
    readonly outcomes: readonly (readonly Outcome[])[]
  }[]
}

export const recordedPymemcache = JSON.parse(
  readFileSync(join(fixtures, 'vectors', 'calling-forms-pymemcache.json'), 'utf8'),
) as File

/** The programs with pymemcache's outcomes beside those of the other libraries. */
export function formsWithPymemcache(file: string, library: string): CallingForms {
  const forms = readCallingForms(join(fixtures, 'vectors', file))
  const run = recordedPymemcache.runs.find((one) => one.library === library && one.programs === file)!
  const cases = forms.cases.map((one, i) => ({
    ...one,
    outcomes: { ...one.outcomes, [library]: run.outcomes[i]! },
  }))
  return { ...forms, cases }
}

/** The options of a recording as those of an audit's target. */
export function targetOptionsOf(kwargs: Readonly<Record<string, TypedJson>>): TargetOptions {
  const plain = (value: TypedJson) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.values(value)[0] : value
  return Object.fromEntries(
    Object.entries(kwargs).map(([name, value]) => [name, plain(value)]),
  ) as TargetOptions
}
