/** pylibmc's hooks: a subclass that overrides `serialize` or `deserialize`. Source: docs/reference/pylibmc.md#4.4. */
import { ValueError } from '../python/errors.js'
import { typeName } from '../python/type-name.js'
import { type EncodedValue, FLAG_ZLIB, type ValueEncoding } from '../values/types.js'

export interface Hooks {
  serialize?: ((value: unknown) => readonly [data: Uint8Array, flags: number]) | undefined
  deserialize?: ((data: Buffer, flags: number) => unknown) | undefined
}

/** The hooks that a subclass overrides. They are looked up once, on the class, as pylibmc does. */
export function overridden(client: Hooks, Class: { prototype: Hooks }, base: Hooks): Hooks {
  const { serialize, deserialize } = Class.prototype
  return {
    ...(serialize === base.serialize ? {} : { serialize: serialize?.bind(client) }),
    ...(deserialize === base.deserialize ? {} : { deserialize: deserialize?.bind(client) }),
  }
}

/** The encoding with its parts replaced by the hooks. The encoding still compresses. */
export function hooked(base: ValueEncoding, { serialize, deserialize }: Hooks): ValueEncoding {
  if (!serialize && !deserialize) return base
  return {
    name: base.name,
    textFlags: deserialize ? undefined : base.textFlags,
    encode(value, compression) {
      if (!serialize) return base.encode(value, compression)
      const { data, flags } = checked(serialize(value))
      // Bytes have no flags: the returned flags only show compression.
      const packed = base.encode(data, compression)
      return { data: packed.data, flags: (flags | packed.flags) >>> 0 }
    },
    decode(flags, data) {
      if (!deserialize) return base.decode(flags, data)
      // Inflated, and the flags as they are stored.
      const payload = flags & FLAG_ZLIB ? (base.decode(FLAG_ZLIB, data) as Buffer) : data
      return deserialize(payload, flags)
    },
  }
}

function checked(pair: unknown): EncodedValue {
  const [data, flags] = Array.isArray(pair) ? pair : []
  if (!Array.isArray(pair) || pair.length < 2 || typeof flags !== 'number' || !Number.isInteger(flags))
    throw new ValueError('serialize() must return (bytes, flags)')
  if (!(data instanceof Uint8Array)) throw new TypeError(`expected bytes, ${typeName(data)} found`)
  return { data, flags }
}
