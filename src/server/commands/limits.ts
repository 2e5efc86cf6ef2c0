/** A limit of memcached that both of its text protocols share. */

/** Longest data block that can be announced: C's INT_MAX, less CRLF. */
export const longestData = 2 ** 31 - 1 - 2
