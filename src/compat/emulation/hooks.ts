/** The functions that python-memcached's constructor takes. Source: docs/reference/python-memcached.md#3, #8.4. */

export interface Hooks {
  /** Writes what has no flag of its own, instead of pickle. Given the value and `pickleProtocol`. */
  readonly pickler?: (value: unknown, protocol: number) => Uint8Array
  /** Reads what `pickler` wrote. What it throws makes the value null, as a pickle that cannot be read. */
  readonly unpickler?: (data: Buffer) => unknown
  /** Instead of zlib. What it throws leaves the call. Since 1.55. */
  readonly compressor?: (data: Buffer) => Uint8Array
  /** Undoes `compressor`. What it throws leaves the call. Since 1.55. */
  readonly decompressor?: (data: Buffer) => Uint8Array
  /** python-memcached's `pload`: the object for a persistent id in a pickle. */
  readonly persistentLoad?: (id: unknown) => unknown
  /** python-memcached's `pid`: the persistent id of an object, undefined to pickle it. */
  readonly persistentId?: (value: unknown) => unknown
  /** Applied to every key as given, before it is checked. Since 1.60; see the switch `key-encoder-twice`. */
  readonly keyEncoder?: (key: unknown) => unknown
}

export const hookNames = {
  pickler: true,
  unpickler: true,
  compressor: true,
  decompressor: true,
  persistentLoad: true,
  persistentId: true,
  keyEncoder: true,
} satisfies Record<keyof Hooks, true>
