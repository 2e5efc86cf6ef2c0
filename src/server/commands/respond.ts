/** The answer of a memcached to one request: reply bytes from the store. No I/O. */
import type { Bytes } from '../../ground/bytes.js'
import { MAX_KEY_LENGTH } from '../../ground/limits.js'
import { type Environment, stats } from '../store/stats.js'
import { endsInLineEnd, type Store, type StoredItem } from '../store/store.js'
import type { ServerFacts } from '../versions.js'
import { respondBinary } from './binary.js'
import type { Command } from './command.js'
import type { Frame } from './framing.js'
import { answerMeta, metaStored } from './meta.js'

/** The pieces of a reply, in order. */
export type Pieces = (Buffer | Bytes)[]

/** A reply, and whether the server closes the connection after it. */
export type Answer = Pieces | { readonly goodbye: Pieces }

/** @returns the reply; no pieces if there is none */
export function respond(store: Store, frame: Frame, environment: Environment): Answer {
  const { command } = frame
  const { facts } = environment
  switch (command.kind) {
    case 'get':
      return retrieve(store, command, facts)
    case 'stats':
      return [stats(store, command.words, environment)]
    case 'quit':
      return { goodbye: [] }
    case 'binary':
      return respondBinary(store, command, frame.data, environment)
    case 'meta':
      return answerMeta(store, command, facts)
    default: {
      const reply = line(store, command, frame.data, facts)
      return command.quiet || reply === '' ? [] : [`${reply}\r\n`]
    }
  }
}

function retrieve(store: Store, command: Extract<Command, { kind: 'get' }>, facts: ServerFacts): Pieces {
  const { keys, cas, exptime } = command
  const pieces: Pieces = []
  for (const key of keys) {
    // Items that were found before the invalid key are not sent. Since 1.6.40 the line end is sent twice.
    if (key.length > MAX_KEY_LENGTH)
      return [`CLIENT_ERROR bad command line format\r\n${facts.parser === 'requests' ? '\r\n' : ''}`]
    const item = exptime === undefined ? store.get(key) : store.touch(key, exptime)
    if (item) pieces.push(head(item, cas), item.data)
  }
  pieces.push('END\r\n')
  return pieces
}

function head(item: StoredItem, cas: boolean): Bytes {
  const length = item.data.length - 2
  return `VALUE ${item.key} ${item.flags} ${length}${cas ? ` ${item.cas}` : ''}\r\n`
}

function line(
  store: Store,
  command: Exclude<Command, { kind: 'get' | 'stats' | 'quit' | 'meta' | 'binary' }>,
  data: Bytes | undefined,
  facts: ServerFacts,
): Bytes {
  switch (command.kind) {
    case 'say':
      return command.line
    case 'store': {
      if (command.refused !== undefined) return command.refused
      if (data && !endsInLineEnd(data)) return 'CLIENT_ERROR bad data chunk'
      const result = store.store(command, data)
      const meta = metaStored(store, result, command, facts)
      if (meta !== undefined) return meta
      if (result === 'too large') return 'SERVER_ERROR object too large for cache'
      if (result === 'no memory') return 'SERVER_ERROR out of memory storing object'
      return result === 'no memory during read' ? 'SERVER_ERROR Out of memory during read' : result
    }
    case 'count': {
      const result = store.addDelta(command.key, command.verb, command.delta)
      if (result === 'not numeric') {
        return 'CLIENT_ERROR cannot increment or decrement non-numeric value'
      }
      return result === 'no memory' ? 'SERVER_ERROR out of memory' : String(result)
    }
    case 'delete':
      return store.delete(command.key)
    case 'touch':
      return store.touch(command.key, command.exptime) ? 'TOUCHED' : 'NOT_FOUND'
    case 'flush':
      store.flush(command.delay)
      return 'OK'
  }
}
