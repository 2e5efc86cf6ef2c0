/** Keys that nothing needs to be done about, as nearly all are. */

const PLAIN = /^[\x21-\x7e]{1,250}$/

let latest: string | undefined

/** Is this text legal as a key by every rule, and its own bytes? */
export function isPlainKey(text: string): boolean {
  if (!PLAIN.test(text)) return false
  latest = text
  return true
}

/** It is the last one that was found plain: between a client's key rule and the wire nobody needs to look again. */
export function wasPlainKey(text: string): boolean {
  return text === latest
}
