/** How pylibmc 1.6.3 writes and reads values. Source: docs/reference/pylibmc.md#4. */

import { checkOptionNames } from '../../python/options.js'
import type { ValueEncoding } from '../types.js'
import { encodingOf, type ValueDialect } from './dialect.js'
import { ENCODING_OPTION_NAMES, type EncodingOptions } from './options.js'

/** `pickleProtocol` is −1 (the highest) unless set. */
export type PylibmcEncodingOptions = EncodingOptions

const dialect: ValueDialect = {
  library: 'pylibmc',
  text: 'flagged',
  booleans: 'digit',
  untyped: 'bytes',
  readsText: true,
  python: 3,
  otherFlags: 'ignored',
}

/** @throws TypeError for unknown options; RangeError for a serializer whose flag means something else */
export function pylibmcEncoding(options: PylibmcEncodingOptions = {}): ValueEncoding {
  checkOptionNames(options, ENCODING_OPTION_NAMES)
  return encodingOf('pylibmc', dialect, options)
}
