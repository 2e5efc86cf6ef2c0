/** Keys in messages, as libmemcached writes them there. */

/** pylibmc cuts keys after this many bytes in messages. */
const MESSAGE_KEY_LENGTH = 32

/** The part of a key in messages: a C string ends at the first NUL. */
export function keyInMessage(key: string): Buffer {
  return Buffer.from(key.slice(0, MESSAGE_KEY_LENGTH).replace(/\0.*$/s, ''), 'latin1')
}
