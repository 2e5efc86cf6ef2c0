/** Retrieval of more keys than fit into memory at once. pylibmc has no counterpart. */
import { ValueError } from '../../python/errors.js'
import type { Pipeline } from '../pipeline.js'
import { type Key, optionNames, type PrefixOptions } from './arguments.js'

/** Options of `streamMulti`. */
export interface StreamOptions extends PrefixOptions {
  /** The number of keys of one request. Default 1000. */
  readonly batch?: number | undefined
}

/** The next batch is requested while the caller reads the current one. */
const AHEAD = 2

/** @param ask requests one batch */
export function streamMulti<K extends Key, T>(
  pipeline: Pipeline,
  keys: Iterable<K> | AsyncIterable<K>,
  given: StreamOptions | undefined,
  ask: (keys: readonly K[], options: PrefixOptions) => Promise<ReadonlyMap<K, T>>,
): AsyncGenerator<[K, T], void, undefined> {
  const own = pipeline.options(given, optionNames.stream)
  pipeline.modes(own)
  const { batch = 1000, ...options } = own ?? {}
  return inBatches(keys, batch, (some) => ask(some, options))
}

/** @throws ValueError for a batch that is not a whole number above 0; errors of `ask` and of the keys */
async function* inBatches<K extends Key, T>(
  keys: Iterable<K> | AsyncIterable<K>,
  batch: number,
  ask: (keys: readonly K[]) => Promise<ReadonlyMap<K, T>>,
): AsyncGenerator<[K, T], void, undefined> {
  if (!Number.isInteger(batch) || batch < 1)
    throw new ValueError(`batch ${batch} is not a whole number above 0`)
  const batches = batched(keys, batch)
  const asked: Promise<ReadonlyMap<K, T>>[] = []
  try {
    for (let more = true; more || asked.length > 0; ) {
      while (more && asked.length < AHEAD) {
        const { value, done } = await batches.next()
        more = !done
        if (!value) continue
        const found = ask(value)
        // The promise is awaited later, or never.
        found.catch(() => undefined)
        asked.push(found)
      }
      const found = await asked.shift()
      if (found) yield* found
    }
  } finally {
    await batches.return()
  }
}

async function* batched<K>(keys: Iterable<K> | AsyncIterable<K>, size: number): AsyncGenerator<K[], void> {
  let some: K[] = []
  for await (const key of keys) {
    some.push(key)
    if (some.length < size) continue
    yield some
    some = []
  }
  if (some.length > 0) yield some
}
