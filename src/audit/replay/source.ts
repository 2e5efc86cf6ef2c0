/** The library whose calls are replayed, for a side of another library: how its calls are bound, and the form of results that its application expects. */
import { fromTypedJson, type TypedJson } from '../../values/index.js'
import type { Reason } from '../compare/divergence.js'
import type { Outcome } from '../compare/outcome.js'
import { type Bound, bind, type Library, type PythonCall } from '../methods/python-signatures.js'
import { pymemcacheSource } from '../pymemcache/source.js'

/** A call of the application in the form in which it was made. */
export interface CallAsItIs {
  readonly reasons: readonly Reason[]
  /** The outcome, if the target has no such call at all. */
  readonly outcome?: Outcome | undefined
}

/** The CAS uniques of one client of the application, which passes those of `gets` to `cas`. */
export interface Uniques {
  /** The call with the unique of this replay. */
  ownUnique(call: PythonCall): PythonCall
  /** Keeps the unique that this replay got, and the one that the application got. */
  keep(call: PythonCall, outcome: Outcome, recorded: Outcome | undefined): void
}

export interface Source {
  readonly library: Library
  /** An unchanged constructor call of the application may be valid for pylibmc. */
  readonly sharesConstructor: boolean
  uniques(): Uniques
  /** @throws SignatureError */
  bind(call: PythonCall): Bound
  /** The calls of pymemcache have other names and are rewritten only on request, so that the report shows how an unchanged call fits the target. */
  asItIs?(target: Library, call: PythonCall): CallAsItIs
  /** The result of a rewritten `gets`, given pylibmc's pair. */
  resultOfGets(pair: Outcome): Outcome
  /** The result of a rewritten call in this library's form. */
  resultOf(call: string, outcome: Outcome, recorded: Outcome | undefined): Outcome
}

export function sourceOf(library: Library): Source {
  return library.name === 'pymemcache' ? pymemcacheSource(library) : plainSource(library)
}

const noUniques: Uniques = { ownUnique: (call) => call, keep: () => undefined }

/** python-memcached and pylibmc, whose calls have the same names. */
function plainSource(library: Library): Source {
  return {
    library,
    sharesConstructor: true,
    uniques: () => noUniques,
    bind: (call) => bind(library, call),
    // For a program of python-memcached the value is the result.
    resultOfGets: (pair) => (library.name === 'python-memcached' ? { result: valueOf(pair) } : pair),
    resultOf: (_call, outcome) => outcome,
  }
}

/** pylibmc's gets gives value and unique. */
function valueOf(pair: Outcome): TypedJson {
  return partsOf(pair)?.[0] ?? null
}

export function uniqueOf(pair: Outcome): unknown {
  return fromTypedJson(partsOf(pair)?.[1] ?? null)
}

function partsOf(pair: Outcome): readonly TypedJson[] | undefined {
  return 'result' in pair ? (pair.result as { readonly $tuple: readonly TypedJson[] }).$tuple : undefined
}
