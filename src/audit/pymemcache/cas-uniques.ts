/**
 * CAS uniques of a replay, which replace those of the traced application of pymemcache: it passes the unique of `gets` to `cas`, and the
 * servers of a replay give other numbers.
 */
import { fromTypedJson, PyTuple, toTypedJson } from '../../values/index.js'
import { type Outcome, returned } from '../compare/outcome.js'
import { truthy } from '../methods/conversions.js'
import type { Bound } from '../methods/python-signatures.js'
import { keyBytes } from '../methods/touched-keys.js'

export class CasUniques<Own> {
  /** The uniques of the replay, by key and by the application's unique. */
  private readonly own = new Map<string, Own>()

  keep(key: unknown, theirs: Uint8Array, own: Own): void {
    this.own.set(name(key, theirs), own)
  }

  /** undefined: the application did not get it from `gets`. */
  inPlaceOf(key: unknown, theirs: unknown): Own | undefined {
    return this.own.get(name(key, theirs))
  }
}

function name(key: unknown, unique: unknown): string {
  return `${keyBytes(key)} ${unique instanceof Uint8Array ? Buffer.from(unique).toString('latin1') : String(unique)}`
}

/** The arguments of a call with the replay's unique. */
export function withOwnUnique(uniques: CasUniques<Uint8Array>, call: string, bound: Bound): Bound {
  if (call !== 'cas') return bound
  const own = uniques.inPlaceOf(bound.key, bound.cas)
  return own === undefined ? bound : { ...bound, cas: own }
}

/** The unique that `gets` gave the application stands for the current item, also if that has another number. */
export function withTheirUniques(
  uniques: CasUniques<Uint8Array>,
  call: string,
  bound: Bound,
  recorded: Outcome,
  outcome: Outcome,
): Outcome {
  if (!givesUniques(call, bound) || 'raises' in recorded || 'raises' in outcome) return outcome
  const [theirs, ours] = [fromTypedJson(recorded.result), fromTypedJson(outcome.result)]
  if (call === 'gets') return { result: toTypedJson(translated(uniques, bound.key, theirs, ours)) }
  if (!(theirs instanceof Map && ours instanceof Map)) return outcome
  const pairs = [...ours].map(([key, pair]): [unknown, unknown] => [
    key,
    translated(uniques, key, theirs.get(key), pair),
  ])
  return returned(new Map(pairs))
}

/** HashClient's get_many gives them with its second parameter. */
function givesUniques(call: string, { gets }: Bound): boolean {
  return call === 'gets' || call === 'gets_many' || (call === 'get_multi' && truthy(gets))
}

function translated(uniques: CasUniques<Uint8Array>, key: unknown, theirs: unknown, ours: unknown): unknown {
  if (!(theirs instanceof PyTuple && ours instanceof PyTuple)) return ours
  const [unique, own] = [theirs.items[1], ours.items[1]]
  if (!(unique instanceof Uint8Array && own instanceof Uint8Array)) return ours
  uniques.keep(key, unique, own)
  return new PyTuple([ours.items[0], unique])
}
