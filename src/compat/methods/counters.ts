/** incr and decr. Source: docs/reference/python-memcached.md#10.2. */
import type { Bytes } from '../../ground/bytes.js'
import { delta as pylibmcDelta } from '../../pipeline/exptime.js'
import { badKey } from '../../pipeline/keys.js'
import { raises } from '../divergence/divergence.js'
import type { Emulation } from '../emulation/emulation.js'
import { pythonText, storeTime } from '../policies/exptime.js'
import { counted } from '../policies/outcomes.js'
import { checkedOptions, type NoReply } from './call-options.js'
import { type CompatKey, type Context, modesFor } from './context.js'

export async function count(
  context: Context,
  verb: 'incr' | 'decr',
  key: CompatKey,
  delta: unknown,
  options: NoReply | undefined,
): Promise<number | bigint | null> {
  const { emulation, pipeline, keys } = context
  const checked = checkedOptions(emulation, 'count', options)
  const { wire, hash } = keys.one(key, verb)
  if (wire === '') throw badKey('', verb)
  const text = deltaText(emulation, verb, wire, delta)
  const modes = modesFor(context, checked)
  return counted(emulation, verb, wire, async () => {
    const value = await pipeline.count(verb, verb, wire, text, modes, hash)
    return modes.noreply ? null : value
  })
}

function deltaText(emulation: Emulation, verb: 'incr' | 'decr', wire: Bytes, delta: unknown): Bytes {
  if (emulation.rules.deltas !== 'any') return String(pylibmcDelta(delta))
  // Up to 1.54 formatted as an integer, later sent as str().
  const text = emulation.rules.python === 2 ? String(storeTime(delta, 2)) : pythonText(delta, 3)
  try {
    if (emulation.announcer.active) pylibmcDelta(delta)
  } catch (error) {
    emulation.announcer.heard?.announce('counter-arguments', {
      operation: verb,
      key: wire,
      compat: `sends ${text}`,
      strict: raises(error),
    })
  }
  return text
}
