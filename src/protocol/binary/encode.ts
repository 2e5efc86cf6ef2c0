/** Binary protocol requests as bytes (docs/reference/pylibmc.md#11.2). No I/O. */
import type { Bytes } from '../../ground/bytes.js'
import { MAX_KEY_LENGTH } from '../../ground/limits.js'
import type { Output } from '../protocol.js'
import { checkStore, type Request, type StoreRequest } from '../requests.js'
import type { StoreVerb } from '../wire.js'
import { loudOf, opcode } from './opcodes.js'

const stores: Readonly<Record<StoreVerb, number>> = {
  set: opcode.SET,
  add: opcode.ADD,
  replace: opcode.REPLACE,
  cas: opcode.REPLACE,
  append: opcode.APPEND,
  prepend: opcode.PREPEND,
}

/** The quiet opcodes, which have no reply on success. */
const quietOf: ReadonlyMap<number, number> = new Map([...loudOf].map(([quiet, loud]) => [loud, quiet]))

/** A quiet command is answered only when it failed, and no caller waits for that answer. */
export const isQuietStore = (code: number): boolean => code >= opcode.SETQ && code <= opcode.PREPENDQ

/** Longest key of the protocol's key field that memcached takes, in bytes. */

/** @throws RangeError naming the argument */
export function checkBinary(request: Request): void {
  if (request.kind === 'config' || request.kind === 'written')
    throw new RangeError(`a ${request.kind} request has no binary form`)
  if (request.kind === 'retrieval') for (const key of request.keys) checkKey(key)
  else if ('key' in request) checkKey(request.key)
  if (request.kind === 'store') checkStore(request)
  if (request.kind === 'arithmetic' && !/^\d{1,20}$/.test(request.delta))
    throw new RangeError(`delta ${JSON.stringify(request.delta)} is not a number`)
  if (request.kind === 'touch' && !/^-?\d{1,20}$/.test(request.exptime ?? ''))
    throw new RangeError(`time ${JSON.stringify(request.exptime)} is not a number`)
}

function checkKey(key: Bytes): void {
  if (key.length === 0 || key.length > MAX_KEY_LENGTH)
    throw new RangeError(`key of ${key.length} bytes: 1 to ${MAX_KEY_LENGTH} are possible`)
}

const NO_CAS = '\0\0\0\0\0\0\0\0'

/** `sequence`: 16 bits, in the first two bytes of the opaque field. */
export function frame(
  code: number,
  sequence: number,
  extras: Bytes,
  key: Bytes,
  value = 0,
  cas = NO_CAS,
): Bytes {
  const body = extras.length + key.length + value
  const fixed = String.fromCharCode(
    0x80, code, key.length >> 8, key.length & 0xff, extras.length, 0, 0, 0,
    body >>> 24, (body >>> 16) & 0xff, (body >>> 8) & 0xff, body & 0xff,
    sequence >> 8, sequence & 0xff, 0, 0,
  ) // biome-ignore format: the bytes of the header
  return fixed + cas + extras + key
}

/** `request` has passed `checkBinary`; retrievals of many keys and stats are the conversation's. */
export function encodeBinary(
  request: Exclude<Request, { kind: 'config' | 'written' }>,
  sequence: number,
  out: Output,
): number {
  switch (request.kind) {
    case 'retrieval':
      return send(opcode.GETK, sequence, '', request.keys[0]!, out)
    case 'store':
      return encodeStore(request, sequence, out)
    case 'arithmetic': {
      const code = loud(request.verb === 'incr' ? opcode.INCR : opcode.DECR, request.noreply)
      // Never creates: expiry 0xffffffff.
      const extras = `${uint64(BigInt(request.delta))}${NO_CAS}\xff\xff\xff\xff`
      return send(code, sequence, extras, request.key, out)
    }
    case 'delete':
      return send(loud(opcode.DELETE, request.noreply), sequence, '', request.key, out)
    case 'touch':
      return send(opcode.TOUCH, sequence, uint32(BigInt(request.exptime!)), request.key, out)
    case 'flush_all':
      return send(loud(opcode.FLUSH, request.noreply), sequence, uint32(request.delay ?? 0n), '', out)
    case 'stats':
      return send(opcode.STAT, sequence, '', request.argument ?? '', out)
  }
}

function send(code: number, sequence: number, extras: Bytes, key: Bytes, out: Output): number {
  out.text(frame(code, sequence, extras, key))
  return code
}

function encodeStore(request: StoreRequest, sequence: number, out: Output): number {
  const { verb, key, flags, exptime, data, cas } = request
  const code = loud(stores[verb], request.noreply)
  const bare = verb === 'append' || verb === 'prepend'
  const extras = bare ? '' : `${uint32(BigInt(flags))}${uint32(BigInt(exptime))}`
  out.text(frame(code, sequence, extras, key, data.length, verb === 'cas' ? uint64(cas ?? 0n) : NO_CAS))
  out.data(data)
  return code
}

const loud = (code: number, noreply: boolean): number => (noreply ? quietOf.get(code)! : code)

function uint32(value: bigint): Bytes {
  const number = Number(BigInt.asUintN(32, value))
  return String.fromCharCode(number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff)
}

function uint64(value: bigint): Bytes {
  return uint32(value >> 32n) + uint32(value)
}
