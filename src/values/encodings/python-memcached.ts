/** How python-memcached writes and reads values, by version. Source: docs/reference/python-memcached.md#9, #17, #18. */
import { checkOptionNames } from '../../python/options.js'
import type { ValueEncoding } from '../types.js'
import { encodingOf, type PickleHooks, type PythonMemcachedDialect } from './dialect.js'
import { ENCODING_OPTION_NAMES, type EncodingOptions } from './options.js'

/** Each name is the last version of its range: up to 1.54 (Python 2), 1.55–1.56, 1.57–1.58, 1.59 and later (all on Python 3). */
export const pythonMemcachedDialects = {
  '1.54': { text: 'pickle', booleans: 'digit', untyped: 'bytes', readsText: false, python: 2 },
  '1.56': { text: 'untyped', booleans: 'word', untyped: 'text', readsText: false, python: 3 },
  '1.58': { text: 'untyped', booleans: 'digit', untyped: 'text', readsText: false, python: 3 },
  '1.59': { text: 'flagged', booleans: 'pickle', untyped: 'bytes', readsText: true, python: 3 },
} as const satisfies Readonly<Record<string, PythonMemcachedDialect>>

/** `pickleProtocol` is 0, python-memcached's own default, unless set. */
export interface PythonMemcachedEncodingOptions extends EncodingOptions, PickleHooks {
  /** Default `1.59` (and later). */
  readonly version?: keyof typeof pythonMemcachedDialects | undefined
  /** Changes parts of the version's dialect, for programs that share items with several versions, e.g. `{ text: 'untyped', readsText: true }`. */
  readonly dialect?: Partial<PythonMemcachedDialect> | undefined
}

const NAMES: readonly (keyof PythonMemcachedEncodingOptions)[] = [
  ...ENCODING_OPTION_NAMES, 'version', 'dialect', 'pickle', 'unpickle', 'undecodablePickle',
] // biome-ignore format: one list

/** @throws TypeError for unknown options; RangeError for a serializer whose flag means something else */
export function pythonMemcachedEncoding(options: PythonMemcachedEncodingOptions = {}): ValueEncoding {
  checkOptionNames(options, NAMES)
  const version = options.version ?? '1.59'
  return encodingOf(
    `python-memcached-${version}`,
    {
      library: 'python-memcached',
      otherFlags: 'unknown',
      ...pythonMemcachedDialects[version],
      ...options.dialect,
    },
    options,
  )
}
