/** touch. Source: docs/reference/python-memcached.md#10.4. */

import type { Bytes } from '../../ground/bytes.js'
import type { CallOptions, Time } from '../../pipeline/methods/arguments.js'
import { replyError } from '../../pipeline/replies.js'
import * as requests from '../../protocol/requests.js'
import { isPlain } from '../../python/options.js'
import { integerText } from '../../python/repr.js'
import { Raised } from '../divergence/divergence.js'
import { asNumber, pythonText, storeTime } from '../policies/exptime.js'
import { refused, spelled, succeeded } from '../policies/outcomes.js'
import { negativeTime } from '../policies/slots.js'
import { checkedOptions, type NoReply, type TouchArgument } from './call-options.js'
import { type CompatKey, type Context, modesFor } from './context.js'
import { mustHave } from './surface.js'

export async function touch(
  context: Context,
  key: CompatKey,
  time: TouchArgument,
  options: NoReply | undefined,
): Promise<boolean | 0 | 1> {
  const { emulation, pipeline, keys } = context
  mustHave(emulation, 'touch')
  const { wire, hash } = keys.one(key, 'touch')
  const [given, rest] = touchArguments(time, options)
  const modes = modesFor(context, checkedOptions(emulation, 'timed', rest))
  const exptime = touchTime(context, given, wire)
  if (wire === '') return spelled(emulation, 'touch', wire, false)
  try {
    const request = requests.touch(modes.namespace + wire, exptime, modes.noreply)
    const { reply, server } = await pipeline.line(request, 'touch', wire, modes, hash)
    const done = modes.noreply || succeeded(emulation, 'touch', reply, { key: wire, server: server.name })
    if (!done && emulation.rules.refusalRaises) throw replyError(reply, 'touch', { key: wire })
    return spelled(emulation, 'touch', wire, done)
  } catch (error) {
    return refused(emulation, 'touch', wire, error)
  }
}

/** undefined: no time is sent, which the server refuses. */
function touchTime({ emulation, pipeline }: Context, time: unknown, key: Bytes): Bytes | undefined {
  const { rules, announcer } = emulation
  const number = asNumber(time)
  const dropped = rules.dropsZeroTouch && number === 0
  if (dropped) {
    const compat = 'sends no time, which the server refuses'
    announcer.heard?.announce('touch-zero-time', { operation: 'touch', key, compat, strict: 'True' })
    return undefined
  }
  if (rules.times !== 'formatted') return String(pipeline.slots.exptime(time, 'touch', key))
  const integer = typeof time === 'bigint' || typeof time === 'boolean' || Number.isInteger(time)
  if (!integer) {
    announcer.heard?.announce('time-arguments', {
      operation: 'touch',
      key,
      compat: `sends ${pythonText(time, rules.python)}`,
      strict: new Raised('TypeError'),
    })
  }
  if (rules.python === 2)
    return time === null || time === undefined ? undefined : String(storeTime(time, rules.python))
  if (time === null || time === undefined) return rules.touchSendsNone ? 'None' : undefined
  if (integer && number !== undefined && number < 0)
    return integerText(negativeTime(emulation, number, 'touch', key))
  // A text without characters is left out, as if there were no time.
  return pythonText(time, rules.python) || undefined
}

/** The time, given alone or in the options. */
export function touchArguments(
  time: TouchArgument,
  options: NoReply | undefined,
): [time: Time, options: (NoReply & CallOptions) | undefined] {
  if (!isOptions(time)) return [time as Time, options]
  return [('time' in time ? time.time : 0) as Time, time]
}

function isOptions(value: unknown): value is NoReply & { readonly time?: Time | null | undefined } {
  return isPlain(value)
}
