/** What the real packages store and sign (fixtures/vectors/framework-values.json, by fixtures/record/applications/framework_values.py), and a cache to read it from. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CacheClient } from '../../../src/frameworks/index.js'
import {
  pylibmcEncoding,
  pymemcacheEncoding,
  pythonMemcachedEncoding,
  type ValueEncoding,
} from '../../../src/values/index.js'
import { fixtures } from '../support/recordings.js'

export const vectors = JSON.parse(readFileSync(join(fixtures, 'vectors', 'framework-values.json'), 'utf8'))
/** The secret of all signatures, and the time at which they were made. */
export const { secret: key, now: NOW } = vectors
export const now = () => NOW as number

export interface Item {
  readonly key: string
  readonly flags: number
  readonly data: string
}
export const encodings = {
  PyLibMCCache: pylibmcEncoding(),
  PyMemcacheCache: pymemcacheEncoding(),
  MemcachedCache: pythonMemcachedEncoding({ pickleProtocol: -1 }),
} as const
export const decode = ({ flags, data }: Item, encoding: ValueEncoding = encodings.PyLibMCCache) =>
  encoding.decode(flags, Buffer.from(data, 'base64'))

/** Holds values in memory. */
export function memory(
  entries: Record<string, unknown> = {},
): CacheClient & { readonly held: Map<string, unknown> } {
  const held = new Map(Object.entries(entries))
  const store = async (key: string, value: unknown) => held.set(key, value) && true
  return {
    held,
    get: async (key) => held.get(key),
    getMulti: async (keys) => new Map(keys.filter((key) => held.has(key)).map((key) => [key, held.get(key)])),
    set: store,
    add: async (key, value) => !held.has(key) && store(key, value),
    setMulti: async (all) => {
      for (const [key, value] of all) held.set(key, value)
      return []
    },
    delete: async (key) => held.delete(key),
    deleteMulti: async (keys) => keys.map((key) => held.delete(key)),
    touch: async (key) => held.has(key),
    has: async (key) => held.has(key),
    incr: async (key, delta) => store(key, Number(held.get(key)) + delta).then(() => held.get(key)),
    decr: async (key, delta) => store(key, Number(held.get(key)) - delta).then(() => held.get(key)),
  }
}

/** A section that is as in an earlier version has that version's name. */
export function section(recorded: Readonly<Record<string, unknown>>, name: string): unknown {
  const found = recorded[name]
  if (typeof found !== 'string') return found
  const versions: readonly Record<string, unknown>[] = vectors.django
  return versions.find(({ version }) => version === found)![name]
}

/** What a job of the recorder has recorded, for each set of packages. */
export const jobs = <T>(name: string): { packages: Record<string, string>; python: string; recorded: T }[] =>
  vectors[name]
