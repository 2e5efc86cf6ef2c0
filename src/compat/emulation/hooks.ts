/** The functions that python-memcached's constructor takes. Source: docs/reference/python-memcached.md#3, #8.4. */

export interface Hooks {
  /** Writes values without their own flag, instead of pickle. Called with the value and `pickleProtocol`. */
  readonly pickler?: (value: unknown, protocol: number) => Uint8Array
  /** Reads the output of `pickler`. An error makes the value null, like a pickle that cannot be read. */
  readonly unpickler?: (data: Buffer) => unknown
  /** Replaces zlib. Its errors are thrown by the call. Since 1.55. */
  readonly compressor?: (data: Buffer) => Uint8Array
  /** The inverse of `compressor`. Its errors are thrown by the call. Since 1.55. */
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
