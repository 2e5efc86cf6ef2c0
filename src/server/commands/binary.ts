/** The answer of memcached 1.6.18 to one request of the binary protocol. No I/O. Facts: fixtures/conversations/binary-*.json. */

import type { Bytes } from '../../ground/bytes.js'
import { opcode, status } from '../../protocol/binary/opcodes.js'
import type { StoreVerb } from '../../protocol/wire.js'
import { type Environment, type Stat, statistics } from '../store/stats.js'
import type { CountResult, Store, StoredItem, StoreResult } from '../store/store.js'
import type { BinaryCommand } from './binary-command.js'
import type { Answer, Pieces } from './respond.js'

/** The default texts of statuses. */
const texts: Readonly<Record<number, Bytes>> = {
  [status.NOT_FOUND]: 'Not found',
  [status.EXISTS]: 'Data exists for key.',
  [status.TOO_LARGE]: 'Too large.',
  [status.INVALID]: 'Invalid arguments',
  [status.NOT_STORED]: 'Not stored.',
  [status.NOT_NUMERIC]: 'Non-numeric server-side value for incr or decr',
  [status.UNKNOWN_COMMAND]: 'Unknown command',
}
/** The expiry time with which incr and decr do not create an item. */
const NEVER_CREATE = 0xffffffff

/** @param data the value as sent; absent when there is none, or when it was too long to be kept */
export function respondBinary(
  store: Store,
  command: BinaryCommand,
  data: Bytes | undefined,
  environment: Environment,
): Answer {
  if (command.refused !== undefined) return { goodbye: refuse(command) }
  switch (command.opcode) {
    case opcode.QUIT:
      return { goodbye: done(command) }
    case opcode.GET:
    case opcode.GETK:
    case opcode.TOUCH:
    case opcode.GAT:
    case opcode.GATK:
      return retrieve(store, command)
    case opcode.SET:
    case opcode.ADD:
    case opcode.REPLACE:
    case opcode.APPEND:
    case opcode.PREPEND:
      return put(store, command, data)
    case opcode.INCR:
    case opcode.DECR:
      return count(store, command)
    case opcode.DELETE:
      return remove(store, command)
    case opcode.FLUSH:
      store.flush(command.extras.length > 0 ? command.extras.readUInt32BE(0) : 0)
      return done(command)
    case opcode.STAT:
      return stat(store, command, environment)
    case opcode.VERSION:
      return done(command, { value: environment.facts.says })
    case opcode.NOOP:
      return done(command)
    default:
      // A memcached without SASL treats its opcodes as unknown.
      return failed(command, status.UNKNOWN_COMMAND)
  }
}

function retrieve(store: Store, command: BinaryCommand): Pieces {
  const { key, extras } = command
  const item = extras.length > 0 ? store.touch(key, extras.readUInt32BE(0)) : store.get(key)
  const named = command.opcode === opcode.GETK || command.opcode === opcode.GATK
  if (!item) {
    if (command.quiet) return []
    return named ? reply(command, status.NOT_FOUND, { key }) : failed(command, status.NOT_FOUND)
  }
  return reply(command, status.OK, {
    extras: uint32(item.flags),
    key: named ? key : '',
    value: command.opcode === opcode.TOUCH ? '' : valueOf(item),
    cas: item.cas,
  })
}

const valueOf = ({ data }: StoredItem): Bytes => data.slice(0, -2)

const verbs: Readonly<Record<number, StoreVerb>> = {
  [opcode.SET]: 'set',
  [opcode.ADD]: 'add',
  [opcode.REPLACE]: 'replace',
  [opcode.APPEND]: 'append',
  [opcode.PREPEND]: 'prepend',
}

function put(store: Store, command: BinaryCommand, data: Bytes | undefined): Pieces {
  const { key, extras, length, cas } = command
  const verb = verbs[command.opcode]!
  const bare = extras.length === 0
  const result = store.store(
    {
      kind: 'store',
      verb: bare || cas === 0n ? verb : 'cas',
      key,
      flags: bare ? 0 : extras.readUInt32BE(0),
      exptime: bare ? 0 : extras.readUInt32BE(4),
      length,
      quiet: command.quiet,
      ...(cas === 0n ? {} : { cas }),
    },
    length > 0 && data === undefined ? undefined : `${data ?? ''}\r\n`,
  )
  if (result === 'STORED') return done(command, { cas: store.unique(key) })
  const [code, text] = refusals(verb)[result]
  return failed(command, code, text)
}

type Refusals = Readonly<Record<Exclude<StoreResult, 'STORED'>, readonly [code: number, text?: Bytes]>>

function refusals(verb: StoreVerb): Refusals {
  const notStored = { add: status.EXISTS, replace: status.NOT_FOUND } as Partial<Record<StoreVerb, number>>
  return {
    NOT_STORED: [notStored[verb] ?? status.NOT_STORED],
    EXISTS: [status.EXISTS],
    NOT_FOUND: [status.NOT_FOUND],
    'too large': [status.TOO_LARGE],
    'no memory': [status.OUT_OF_MEMORY, 'Out of memory allocating item'],
    'no memory during read': [status.OUT_OF_MEMORY, 'Out of memory during read'],
  }
}

function count(store: Store, command: BinaryCommand): Pieces {
  const { key, extras, cas } = command
  const exptime = extras.readUInt32BE(16)
  const result: CountResult = store.addDelta(
    key,
    command.opcode === opcode.INCR ? 'incr' : 'decr',
    extras.readBigUInt64BE(0),
    {
      ...(cas === 0n ? {} : { cas }),
      ...(exptime === NEVER_CREATE ? {} : { initial: { value: extras.readBigUInt64BE(8), exptime } }),
    },
  )
  switch (result) {
    case 'NOT_FOUND':
      return failed(command, status.NOT_FOUND)
    case 'EXISTS':
      return failed(command, status.EXISTS)
    case 'not numeric':
      return failed(command, status.NOT_NUMERIC)
    case 'no memory':
      return failed(command, status.OUT_OF_MEMORY, 'Out of memory incrementing value')
  }
  const value = Buffer.alloc(8)
  value.writeBigUInt64BE(result)
  return done(command, { value, cas: store.unique(key) })
}

function remove(store: Store, command: BinaryCommand): Pieces {
  const result = store.delete(command.key, command.cas === 0n ? undefined : command.cas)
  return result === 'DELETED' ? done(command) : failed(command, status[result])
}

/** One frame for each statistic, then an empty frame. memcached compares only the beginning of some names. */
function stat(store: Store, command: BinaryCommand, environment: Environment): Pieces {
  const rows = statRows(store, command.key, environment)
  if (!rows) return failed(command, status.NOT_FOUND)
  return [
    ...rows.flatMap(([name, value]) => reply(command, status.OK, { key: name, value: String(value) })),
    ...reply(command, status.OK, {}),
  ]
}

function statRows(store: Store, name: Bytes, environment: Environment): readonly Stat[] | undefined {
  if (name === '') return statistics(store, undefined, environment)
  if (name.startsWith('reset')) {
    store.resetCounters()
    return []
  }
  if (name.startsWith('settings')) return statistics(store, 'settings', environment)
  // This server keeps no statistics by key prefix, so that the dump is empty.
  if (name.startsWith('detail dump')) return [['detailed', 'END\r\n']]
  if (name.startsWith('detail on') || name.startsWith('detail off')) return []
  return statistics(store, name, environment)
}

interface Body {
  readonly extras?: Bytes
  readonly key?: Bytes | undefined
  readonly value?: Buffer | Bytes | undefined
  readonly cas?: number | bigint | undefined
}

/** A success reply, unless the command is quiet. */
function done(command: BinaryCommand, body: Body = {}): Pieces {
  return command.quiet ? [] : reply(command, status.OK, body)
}

/** A reply that quiet commands receive too. */
function failed(command: BinaryCommand, code: number, text = texts[code]): Pieces {
  return reply(command, code, { value: text })
}

function refuse(command: BinaryCommand): Pieces {
  return failed(command, command.refused === 'Unknown command' ? status.UNKNOWN_COMMAND : status.INVALID)
}

function reply(
  command: BinaryCommand,
  code: number,
  { extras = '', key = '', value = '', cas = 0 }: Body,
): Pieces {
  const head = Buffer.alloc(24)
  head[0] = 0x81
  head[1] = command.asked
  head.writeUInt16BE(key.length, 2)
  head[4] = extras.length
  head.writeUInt16BE(code, 6)
  head.writeUInt32BE(extras.length + key.length + value.length, 8)
  head.writeUInt32BE(command.opaque, 12)
  head.writeBigUInt64BE(BigInt(cas), 16)
  return [head, extras + key, value]
}

function uint32(value: number): Bytes {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
}
