/** The names that pylibmc has for hashes of keys (`pylibmc.hashers`), without hsieh, which normal builds of libmemcached refuse. */
export const pylibmcHashes = [
  'default', 'md5', 'crc', 'fnv1_64', 'fnv1a_64', 'fnv1_32', 'fnv1a_32', 'murmur', 'jenkins',
] as const // biome-ignore format: one list
