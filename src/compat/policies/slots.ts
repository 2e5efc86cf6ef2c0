/** The slots of the pipeline, filled by switches: each emulated policy announces the outcomes it changes. */

import { integer, exptime as pylibmcTime } from '../../pipeline/exptime.js'
import type { Operation } from '../../pipeline/operations.js'
import type { ServerSpec, Slots } from '../../pipeline/slots.js'
import { PyTimeDelta } from '../../values/index.js'
import { Raised } from '../divergence/divergence.js'
import type { Emulation } from '../emulation/emulation.js'
import { ValueTooLong } from '../errors.js'
import { storeTime, timedeltaSeconds } from './exptime.js'
import type { Keys } from './keys.js'
import { compatSelection } from './pool.js'
import { valueSlots } from './values.js'

export function compatSlots(emulation: Emulation, specs: readonly ServerSpec[], keys: Keys): Slots {
  const casBehavior = emulation.rules.casWithoutUnique !== 'stores' && emulation.cacheCas
  const modes = {
    // pylibmc's behavior `cas`, without which pylibmc refuses gets and cas.
    cas:
      emulation.cacheCas ||
      emulation.options.emulate !== 'pylibmc' ||
      emulation.rules.casWithoutUnique === 'stores',
    retrieval: casBehavior ? 'gets' : 'get',
    noreply: false,
    namespace: '',
    binary: false,
    timeout: emulation.timeout,
  } as const
  const selection = compatSelection(emulation, specs)
  keys.serverOf = (key) => selection.servers[selection.place(key)]!.name
  return {
    key: (key, operation, prefix) =>
      keys.one(key, operation, prefix === '' ? undefined : { bytes: prefix }).wire,
    exptime: timeRule(emulation),
    ...valueSlots(emulation),
    size: sizeRule(emulation),
    selection,
    wire: emulation.rules.dialect,
    modes: () => modes,
  }
}

function timeRule(emulation: Emulation): Slots['exptime'] {
  const { announcer, rules } = emulation
  const emulated = rules.times === 'formatted'

  function seconds(time: unknown, operation: Operation, key: string): number | bigint {
    const given =
      operation === 'set' && time instanceof PyTimeDelta ? timedelta(emulation, time, key) : undefined
    if (given !== undefined) return given
    if (!emulated) return integer(time)
    const whole = storeTime(time, rules.python)
    if (!(typeof time === 'bigint' || typeof time === 'boolean' || Number.isInteger(time))) {
      announcer.heard?.announce('time-arguments', {
        operation,
        key,
        compat: `the time ${whole}`,
        strict: new Raised('TypeError'),
      })
    }
    return whole
  }

  return (time, operation, key) => {
    if (time === 0) return 0
    const whole = seconds(time, operation, key)
    if (whole < 0) return negativeTime(emulation, whole, operation, key)
    return emulated ? whole : pylibmcTime(whole, operation, 'zero')
  }
}

/** Whole seconds if the version accepts a timedelta. */
function timedelta({ announcer, rules }: Emulation, time: PyTimeDelta, key: string): number | undefined {
  if (!rules.timedelta) return undefined
  const seconds = timedeltaSeconds(time)
  announcer.heard?.announce('timedelta-in-set', {
    operation: 'set',
    key,
    compat: `the time ${seconds}`,
    strict: new Raised('TypeError'),
  })
  return seconds
}

/** The value on the wire for a negative time. */
export function negativeTime(
  emulation: Emulation,
  time: number | bigint,
  operation: Operation,
  key: string,
): number | bigint {
  if (emulation.rules.negativeTimes !== 'sent') return 0
  // append and prepend do not change the time of an item.
  if (operation !== 'append' && operation !== 'prepend') {
    emulation.announcer.heard?.announce('negative-timeout', {
      operation,
      key,
      compat: 'done, and the item is gone',
      strict: 'done, and the item never expires',
    })
  }
  return time
}

function sizeRule(emulation: Emulation): Slots['size'] {
  const most = emulation.serverMaxValueLength
  if (emulation.rules.oversize !== 'not-sent' || most === 0) return undefined
  const { limitIsTooLong } = emulation.rules
  return ({ data }, operation, key) => {
    if (data.length < most || (data.length === most && !limitIsTooLong)) return
    emulation.announcer.heard?.announce('oversize', {
      operation,
      key,
      compat: operation === 'setMulti' ? 'lists the key, nothing sent' : '0, nothing sent',
      strict: new Raised('TooBig', 37),
    })
    throw new ValueTooLong(`a value of ${data.length} bytes is over ${most}`)
  }
}
