/** The serdes that a constructor of pymemcache names, also those that fail when they are used. Source: docs/reference/pymemcache.md#2.5, #5. */
import { compressedSerde, pickleSerde, type Serde } from '../../../pymemcache/index.js'
import { plainSerde } from '../../../pymemcache/serde.js'
import { AttributeError, ValueError } from '../../../python/errors.js'
import { fromTypedJson, type TypedJson } from '../../../values/index.js'

const HIGHEST_PROTOCOL = 5

/** A serde by its name in Python: with the protocol of its pickles, or the length from which it compresses, in bytes. */
export function serdeNamed(name: string): Serde | undefined {
  if (name === 'pickle_serde') return pickleSerde({ preserve: true })
  if (name === 'compressed_serde') return compressedSerde({ preserve: true })
  const [, kind, given] = /^(PickleSerde|CompressedSerde)\((-?\d{1,9})\)$/.exec(name) ?? []
  const number = Number(given)
  if (kind === 'CompressedSerde')
    return compressedSerde({ preserve: true, minCompressLen: Math.max(number, 0) })
  if (kind === undefined) return undefined
  if (number > HIGHEST_PROTOCOL) return withoutPickles
  return number < 0
    ? pickleSerde({ preserve: true })
    : pickleSerde({ preserve: true, pickleProtocol: number as 0 })
}

/** Python knows no such protocol; bytes, text and integers need none. */
const withoutPickles: Serde = {
  ...pickleSerde({ preserve: true }),
  serialize(key, value) {
    const isSimple = value instanceof Uint8Array || ['string', 'number', 'bigint'].includes(typeof value)
    if (!isSimple) throw new ValueError(`pickle protocol must be <= ${HIGHEST_PROTOCOL}`)
    return pickleSerde({ preserve: true }).serialize(key, value)
  },
}

/** The serde of a constructor call. */
export interface TracedSerde {
  /** As an option of an audit: undefined if values are written as their text. */
  readonly name?: string
  /** The facts of a serde that its name does not give. */
  readonly serde?: Serde
  /** The keywords whose code is not in a trace. */
  readonly replaced: readonly string[]
}

/** @param kwargs of the constructor, by pymemcache's names */
export function tracedSerde(kwargs: Readonly<Record<string, TypedJson>>): TracedSerde {
  const given = nameOf(kwargs.serde)
  if (given !== undefined) {
    if (given === 'none' || serdeNamed(given)) return { name: given, replaced: [] }
    const broken = brokenSerde(given)
    return broken
      ? { name: 'pickle_serde', serde: broken, replaced: [] }
      : { name: 'pickle_serde', replaced: ['serde'] }
  }
  const [serializer, deserializer] = [nameOf(kwargs.serializer), nameOf(kwargs.deserializer)]
  if (serializer === undefined && deserializer === undefined) return { replaced: [] }
  const replaced = [
    ...(isCode(serializer, 'python_memcache_serializer') ? ['serializer'] : []),
    ...(isCode(deserializer, 'python_memcache_deserializer') ? ['deserializer'] : []),
  ]
  // Values keep their types with most serdes that applications write.
  if (replaced.length > 0) return { name: 'pickle_serde', replaced }
  const pickles = pickleSerde({ preserve: true })
  return {
    ...(serializer === undefined ? {} : { name: 'pickle_serde' }),
    serde: {
      serialize:
        serializer === undefined
          ? plainSerde.serialize
          : (notCallable(serializer) ?? pickles.serialize.bind(pickles)),
      deserialize:
        deserializer === undefined
          ? plainSerde.deserialize
          : (notCallable(deserializer) ?? pickles.deserialize.bind(pickles)),
    },
    replaced,
  }
}

/** A value that is false in Python counts as not given. */
function nameOf(given: TypedJson | undefined): string | undefined {
  const value = given === undefined ? undefined : fromTypedJson(given)
  return typeof value === 'string' && value !== '' ? value : undefined
}

function isCode(name: string | undefined, known: string): boolean {
  return name !== undefined && name !== known && !name.startsWith('builtins.')
}

/** A value of a built-in class, such as text, or the class of a serde where an instance belongs. */
function brokenSerde(name: string): Serde | undefined {
  const builtin = /^builtins\.(\w+)$/.exec(name)?.[1]
  const isClass = name === 'pymemcache.serde.PickleSerde' || name === 'pymemcache.serde.CompressedSerde'
  if (builtin === undefined && !isClass) return undefined
  const fails = (method: string) => (): never => {
    if (builtin !== undefined) throw new AttributeError(`'${builtin}' object has no attribute '${method}'`)
    const missing = method === 'serialize' ? 'value' : 'flags'
    throw new TypeError(
      `${name.split('.').at(-1)}.${method}() missing 1 required positional argument: '${missing}'`,
    )
  }
  return { serialize: fails('serialize'), deserialize: fails('deserialize') }
}

function notCallable(name: string): (() => never) | undefined {
  const builtin = /^builtins\.(\w+)$/.exec(name)?.[1]
  if (builtin === undefined) return undefined
  return () => {
    throw new TypeError(`'${builtin}' object is not callable`)
  }
}
