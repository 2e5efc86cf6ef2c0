/** The ways to move keys from one placement to another, as plain values of one shape. Pure. */
import { crc32 } from '../../hashing/index.js'

/** The placement of a key at a moment. `both`: read in the new placement, then in the old one; written to both. */
export type Stage = 'old' | 'new' | 'both'

/** The input of a way. */
export interface WayInput {
  /** The beginning and the last step of the move, in seconds of the trace. */
  readonly begin: number
  readonly end: number
  /** Prefixes of keys in the order in which they move. */
  readonly prefixes: readonly string[]
  readonly servers: number
}

/** A key that moves. */
export interface MovingKey {
  readonly key: string
  /** Index of its server under the old placement. */
  readonly oldServer: number
}

/** A way to move. */
export interface Way {
  readonly name: string
  readonly title: string
  /** @returns the function that gives the stage of a key at a time */
  stage(input: WayInput): (key: MovingKey, t: number) => Stage
}

/** Every client switches at one moment. */
export const bigBang: Way = {
  name: 'big-bang',
  title: 'Every client at once',
  stage:
    ({ begin }) =>
    (_key, t) =>
      t < begin ? 'old' : 'new',
}

/** Both placements are read and written until the end (docs/migrating.md, the phase new-first). */
export const dualPlacement: Way = {
  name: 'dual',
  title: 'Both placements for a while (new-first)',
  stage:
    ({ begin, end }) =>
    (_key, t) =>
      t < begin ? 'old' : t < end ? 'both' : 'new',
}

/** One prefix of keys after the other. */
export const byPrefix: Way = {
  name: 'prefix',
  title: 'One prefix of keys after the other',
  stage: ({ begin, end, prefixes }) => {
    const place = new Map(prefixes.map((prefix, index) => [prefix, index]))
    return ({ key }, t) => {
      const step = (place.get(prefixOf(key)) ?? prefixes.length) / Math.max(1, prefixes.length)
      return t < begin + step * (end - begin) ? 'old' : 'new'
    }
  },
}

/** A growing share of the keys, by a hash of the key. */
export const byPercentage: Way = {
  name: 'percentage',
  title: 'A growing share of the keys',
  stage:
    ({ begin, end }) =>
    ({ key }, t) =>
      t < begin + shareOf(key) * (end - begin) ? 'old' : 'new',
}

/** The keys of one server of the old placement after the other. */
export const serverByServer: Way = {
  name: 'server',
  title: 'One server of the old placement after the other',
  stage:
    ({ begin, end, servers }) =>
    ({ oldServer }, t) =>
      t < begin + (oldServer / Math.max(1, servers)) * (end - begin) ? 'old' : 'new',
}

/** Every way that `plan` tries. */
export const ways: readonly Way[] = [bigBang, dualPlacement, byPrefix, byPercentage, serverByServer]

/** `user:` of `user:17`; the first ten characters of a key without a separator. */
export function prefixOf(key: string): string {
  const end = key.search(/[:./|]/)
  return end < 0 ? key.slice(0, 10).replace(/\d+$/, '') : key.slice(0, end + 1)
}

/** From 0 to 1, the same in every process. */
export function shareOf(key: string): number {
  return crc32(Buffer.from(key, 'latin1')) / 2 ** 32
}
