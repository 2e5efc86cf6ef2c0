/** pymemcache's HashClient: rendezvous hashing with MurmurHash3. Source: docs/reference/placement.md#3. */
import { shown } from '../ground/arguments.js'
import { murmur3_32 } from './hashes/murmur.js'

/** Text is hashed by the low 8 bits of each code point, as pymemcache does. */
function score(text: string): number {
  const codes = Uint8Array.from(text, (character) => character.codePointAt(0)! & 0xff)
  return murmur3_32(codes)
}

/**
 * Chooses the node of the highest weight for a key, as pymemcache's HashClient does.
 * @param nodes `host:port`, or the path of a Unix socket
 * @param key as pymemcache formats it: text as it is; bytes as Python's representation, `b'key'`
 * @returns index of the node, or undefined without nodes
 * @throws TypeError when nodes is not a list of texts or key is not text
 */
export function rendezvous(nodes: readonly string[], key: string): number | undefined {
  if (!Array.isArray(nodes)) throw new TypeError('nodes is not a list')
  const stray = nodes.findIndex((node) => typeof node !== 'string')
  if (stray >= 0) throw new TypeError(`nodes[${stray}] is ${shown(nodes[stray])}, not text`)
  if (typeof key !== 'string') throw new TypeError(`key is ${shown(key)}, not text`)
  let winner: number | undefined
  let best = -1
  nodes.forEach((node, index) => {
    const points = score(`${node}-${key}`)
    if (
      points > best ||
      (points === best && winner !== undefined && codePointOrder(node, nodes[winner]!) > 0)
    ) {
      winner = index
      best = points
    }
  })
  return winner
}

function codePointOrder(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
