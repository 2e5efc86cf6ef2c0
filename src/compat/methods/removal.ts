/** delete and delete_multi. Source: docs/reference/python-memcached.md#10.3, #10.5. */
import { checkBytes, checkIterable } from '../../ground/arguments.js'
import type { Bytes } from '../../ground/bytes.js'
import { MAX_KEY_LENGTH } from '../../ground/limits.js'
import type { Key } from '../../pipeline/methods/arguments.js'
import { softOutcome } from '../../pipeline/replies.js'
import * as requests from '../../protocol/requests.js'
import type { LineReply } from '../../protocol/wire.js'
import { AttributeError } from '../../python/errors.js'
import { bytesRepr } from '../../python/repr.js'
import type { Emulation } from '../emulation/emulation.js'
import { asNumber, pythonText, storeTime } from '../policies/exptime.js'
import {
  closedUnderDebug,
  refused,
  spelled,
  stumble,
  succeeded,
  swallowed,
  transportKind,
} from '../policies/outcomes.js'
import { checkedOptions, type DeleteArgument, type DeleteMultiOptions } from './call-options.js'
import { type CompatKey, type Context, type KeysOf, modesFor } from './context.js'
import { type PlacedKey, pickAll } from './picking.js'
import { keyList } from './retrieval.js'

/** @param expected the replies that count as success, where the caller names them */
export async function remove(
  context: Context,
  key: CompatKey,
  argument: DeleteArgument | undefined,
  expected?: Iterable<Key>,
): Promise<boolean | 0 | 1> {
  const { emulation, pipeline, keys } = context
  const { missingDelete, expectedReplies } = emulation.rules
  const missingSucceeds = expected ? expectedReplies && namesMissing(expected) : missingDelete === 1
  const options = checkedOptions(emulation, 'timed', argument)
  const { wire, hash } = keys.one(key, 'delete')
  const time = typeof options === 'object' ? options?.time : options
  const positional = emulation.rules.deleteTakesNoreply && typeof options === 'number' && options !== 0
  const modes = modesFor(context, positional ? { noreply: true } : options)
  if (wire === '') return spelled(emulation, 'delete', wire, false)
  try {
    const request = requests.remove(modes.namespace + wire, {
      time: deleteTime(emulation, time),
      noreply: modes.noreply,
    })
    const { reply, server } = await pipeline.line(request, 'delete', wire, modes, hash)
    const done = modes.noreply || succeeded(emulation, 'delete', reply, { key: wire, server: server.name })
    return deleted(emulation, wire, done, missingSucceeds)
  } catch (error) {
    return refused(emulation, 'delete', wire, error)
  }
}

/** Of the replies that count as success, `_deletetouch` has the one for a missing key. */
function namesMissing(expected: Iterable<Key>): boolean {
  checkIterable('expected', expected)
  return [...expected].some((reply) => {
    if (typeof reply !== 'string') checkBytes('a reply of expected', reply)
    return Buffer.from(reply as string).toString('latin1') === 'NOT_FOUND'
  })
}

function deleted(emulation: Emulation, key: Bytes, done: boolean, missingSucceeds: boolean): boolean | 0 | 1 {
  if (done || !missingSucceeds) return spelled(emulation, 'delete', key, done)
  emulation.announcer.heard?.announce('missing-delete', {
    operation: 'delete',
    key,
    compat: '1',
    strict: 'False',
  })
  return emulation.rules.results === 'numbers' ? 1 : true
}

function deleteTime({ rules: { deleteTime: rule, python } }: Emulation, time: unknown): Bytes | undefined {
  if (rule === 'never') return undefined
  const missing = time === undefined || time === null
  if (rule === 'always' && missing) return '0'
  if (missing || (rule === 'not-zero' && asNumber(time) === 0)) return undefined
  return python === 2 ? String(storeTime(time, python)) : pythonText(time, python) || undefined
}

/** On all servers at once. 1, or 0 after a reset or a timeout; missing keys and error replies change nothing. */
export async function deleteMulti(
  context: Context,
  given: KeysOf<CompatKey | number | bigint>,
  argument: DeleteMultiOptions,
): Promise<boolean | 0 | 1> {
  const { emulation, pipeline, keys } = context
  const options = checkedOptions(emulation, 'deleteMulti', argument)
  const modes = modesFor(context, options)
  const prefix = keys.prefix(options.keyPrefix, 'deleteMulti')
  const list = keyList(context, given, 'deleteMulti', 'keys must be a sequence, not a mapping')
  const tail = emulation.rules.dialect.deleteMultiTail
  // pylibmc's delete_multi is a delete of each key.
  const operation = emulation.rules.failures === 'swallowed' ? 'deleteMulti' : 'delete'
  const troubles: unknown[] = []
  let missing = false
  // All deletes together have the time of one call.
  const timed =
    emulation.rules.failures === 'swallowed'
      ? modes
      : { ...modes, deadline: performance.now() + modes.timeout }
  const removeOne = async ({ wire, server }: Pick<PlacedKey<unknown>, 'wire' | 'server'>) => {
    if (!server) return
    const name = emulation.rules.mixesText ? mixedName(emulation, wire) : wire
    if (name === undefined) return
    const time = multiTime(emulation, options.time)
    const request = requests.remove(modes.namespace + name, { time, tail, noreply: modes.noreply })
    try {
      const reply = (await pipeline.exchange(
        server,
        request,
        operation,
        wire,
        timed,
        (reply) => reply,
      )) as LineReply
      const there = modes.noreply || softOutcome(reply, operation, { key: wire, server: server.name })
      if (!there) missing = true
    } catch (error) {
      if (error instanceof AttributeError) throw error
      troubles.push(error)
    }
  }
  if (emulation.rules.failures === 'swallowed') {
    const placed = await pickAll(context, 'deleteMulti', list, prefix, troubles)
    missing = placed.some(({ wire }) => wire === '')
    await Promise.all(placed.map(removeOne))
  } else {
    const planned = list.map((key) => keys.one(key, 'deleteMulti', prefix))
    missing = planned.some(({ wire }) => wire === '')
    for (const { wire, hash, placedAs } of planned) {
      if (wire === '') continue
      await removeOne({ wire, server: await pipeline.selection.pick(placedAs ?? wire, operation, hash) })
      if (troubles.length > 0) throw troubles[0]
    }
  }
  return summed(context, troubles, missing)
}

/** The key as 1.55 to 1.57 send it on Python 3: its repr(). Undefined if that is longer than the server's limit. */
function mixedName({ announcer }: Emulation, key: Bytes): Bytes | undefined {
  const name = bytesRepr(key)
  announcer.heard?.announce('bytes-and-text', {
    operation: 'deleteMulti',
    key,
    compat: `sends ${name}, so that nothing is deleted`,
    strict: 'deletes it',
  })
  return name.length > MAX_KEY_LENGTH ? undefined : name
}

/** @throws AttributeError with debug, see `debug-raises` */
function summed({ emulation }: Context, troubles: readonly unknown[], missing: boolean): boolean | 0 | 1 {
  stumble(emulation, troubles)
  let failed = false
  for (const error of troubles) {
    const kind = transportKind(error)
    const broken = kind === 'timeout' || kind === 'reset'
    if (closedUnderDebug(emulation, 'deleteMulti', error))
      throw new AttributeError("'str' object has no attribute 'decode'")
    swallowed(emulation, 'errors', 'deleteMulti', undefined, error, broken ? 0 : 1)
    failed ||= broken
  }
  if (!failed && missing && emulation.rules.missingDeleteMulti === 1) {
    emulation.announcer.heard?.announce('missing-delete', {
      operation: 'deleteMulti',
      compat: '1',
      strict: 'False',
    })
    return emulation.rules.results === 'numbers' ? 1 : true
  }
  return spelled(emulation, 'deleteMulti', undefined, !failed && !missing)
}

function multiTime({ rules }: Emulation, time: unknown): Bytes | undefined {
  if (rules.times !== 'formatted' || time === null) return undefined
  if (rules.deleteMultiTime) return String(storeTime(time ?? 0, rules.python))
  return time === undefined ? undefined : pythonText(time, rules.python) || undefined
}
