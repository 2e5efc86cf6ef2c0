/** Limits of every memcached server, from its protocol documentation (doc/protocol.txt). */

/** Longest key, in bytes. */
export const MAX_KEY_LENGTH = 250

/** Longest time that counts from now, in seconds: 30 days. A greater number is a Unix time. */
export const MAX_RELATIVE_TIME = 30 * 24 * 60 * 60
