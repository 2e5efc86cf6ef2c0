/**
 * Serves memshim's clients to one Python process (test/suites/python/bridge.py): requests as frames on descriptor 0, replies on 1, hooks on two
 * further descriptors, which are the arguments.
 */
import type { Client as CompatClient } from '../../../src/compat/index.js'
import type { HashClient } from '../../../src/pymemcache/index.js'
import type { Client as StrictClient } from '../../../src/strict/index.js'
import { compatOperations, makeCompat } from './compat.js'
import { Hooks, RaisedInPython } from './hooks.js'
import { decoded, encoded, writeFrame } from './pipes.js'
import { makePymemcache, pymemcacheOperations } from './pymemcache.js'
import { makeStrict, strictOperations } from './strict.js'

type AnyClient = StrictClient | CompatClient | HashClient

const clients = new Map<number, AnyClient>()
const ids = new WeakMap<object, number>()
let lastId = 0
let debugLines: string[] = []

function keep(client: AnyClient): number {
  lastId++
  clients.set(lastId, client)
  ids.set(client, lastId)
  return lastId
}

const hooks = new Hooks(Number(process.argv[2]), Number(process.argv[3]), (request) => {
  try {
    const result = perform(request)
    if (result instanceof Promise) throw new Error(`${request[1]} cannot be called within a hook`)
    return ['ok', encoded(result ?? null)]
  } catch (error) {
    return failure(error)
  }
})

/** A request is [library, operation, client, arguments, clients that Python has dropped]. */
function perform(request: unknown[]): unknown {
  const [library, operation, id, args, dropped] = request as [
    'strict' | 'compat' | 'pymemcache',
    string,
    number,
    unknown[],
    number[] | undefined,
  ]
  for (const old of dropped ?? []) {
    clients.get(old)?.disconnectAll()
    clients.delete(old)
  }
  if (operation === 'new') {
    const [servers, given, own] = args as [unknown[], unknown, string[]]
    if (library === 'strict')
      return keep(makeStrict(servers, given, own, hooks, (client) => ids.get(client)!))
    if (library === 'pymemcache') return keep(makePymemcache(servers, given))
    let made = 0
    made = keep(
      makeCompat(
        servers,
        given,
        own,
        hooks,
        () => made,
        (line) => debugLines.push(line),
      ),
    )
    return made
  }
  if (operation === 'clone') return keep((clients.get(id) as StrictClient).clone())
  const tables = { strict: strictOperations, compat: compatOperations, pymemcache: pymemcacheOperations }
  const table = tables[library]
  const call = table[operation]
  if (!call) throw new Error(`the bridge has no ${library} ${operation}`)
  return call(clients.get(id) as never, ...(args as never[]))
}

/** What Python raises: its own exception, one by name, or a fault of ours with its stack. */
function failure(error: unknown): unknown[] {
  for (let one = error; one instanceof Error; one = one.cause as unknown)
    if (one instanceof RaisedInPython) return ['raise', one.exception]
  const { python, code, message, stack } = error as {
    readonly python?: string
    readonly code?: unknown
    readonly message?: string
    readonly stack?: string
  }
  const builtin =
    error instanceof TypeError
      ? 'builtins.TypeError'
      : error instanceof RangeError
        ? 'builtins.ValueError'
        : null
  const name = python ?? builtin
  return [
    'error',
    name,
    message ?? String(error),
    typeof code === 'number' ? code : null,
    name ? null : (stack ?? null),
  ]
}

async function answer(frame: Uint8Array): Promise<void> {
  let reply: unknown[]
  try {
    reply = ['ok', encoded((await perform(decoded(frame) as unknown[])) ?? null)]
  } catch (error) {
    reply = failure(error)
  }
  const lines = debugLines
  debugLines = []
  writeFrame(1, [lines, ...reply])
}

let buffered: Buffer = Buffer.alloc(0)
process.stdin.on('data', (chunk: Buffer) => {
  buffered = Buffer.concat([buffered, chunk])
  while (buffered.length >= 4 && buffered.length >= 4 + buffered.readUInt32LE()) {
    const end = 4 + buffered.readUInt32LE()
    const frame = buffered.subarray(4, end)
    buffered = buffered.subarray(end)
    void answer(frame)
  }
})
process.stdin.on('end', () => process.exit(0))
