/** memshim/compat for programs that import python-memcached's `memcache`. */
import { Client } from '../../../src/compat/index.js'
import { PyTuple } from '../../../src/values/index.js'
import type { Hooks } from './hooks.js'
import { list, number, options } from './pipes.js'

type Operation = (client: Client, ...args: never[]) => unknown

/** @param own names of the options that are Python functions */
export function makeCompat(
  servers: readonly unknown[],
  given: unknown,
  own: readonly string[],
  hooks: Hooks,
  id: () => number,
  debug: (line: string) => void,
): Client {
  const { debug: wordy, ...rest } = options(given)
  const functions = Object.fromEntries(
    own.map((name) => [name, (...args: unknown[]) => hooks.call(id(), name, args)]),
  )
  return new Client(
    servers as never,
    { ...rest, ...functions, ...(wordy ? { debug } : {}), preserve: true } as never,
  )
}

const stores = Object.fromEntries(
  (['set', 'add', 'replace', 'append', 'prepend', 'cas'] as const).map((verb): [string, Operation] => [
    verb,
    (client, key: string, value: unknown, given: unknown) => client[verb](key, value, options(given)),
  ]),
)

const pairs = async (rows: Promise<readonly (readonly unknown[])[]>) =>
  (await rows).map((pair) => new PyTuple(pair as never))

export const compatOperations: Readonly<Record<string, Operation>> = {
  ...stores,
  get: (client, key: string, ...missing: unknown[]) => client.get(key, ...(missing as [])),
  gets: (client, key: string) => client.gets(key),
  get_multi: (client, keys: string[], given: unknown) => client.getMulti(keys, options(given)),
  set_multi: (client, mapping: never, given: unknown) => client.setMulti(mapping, options(given)),
  incr: (client, key: string, delta: unknown, given: unknown) =>
    client.incr(key, number(delta) as number, options(given)),
  decr: (client, key: string, delta: unknown, given: unknown) =>
    client.decr(key, number(delta) as number, options(given)),
  delete: (client, key: string, given: unknown) => client.delete(key, options(given)),
  delete_multi: (client, keys: string[], given: unknown) => client.deleteMulti(keys, options(given)),
  touch: (client, key: string, time: unknown, given: unknown) =>
    client.touch(key, number(time) as number, options(given)),
  deletetouch: (
    client,
    expected: unknown,
    command: 'delete' | 'touch',
    key: string,
    time: unknown,
    given: unknown,
  ) => client.deletetouch(list(expected) as string[], command, key, number(time) as number, options(given)),
  flush_all: (client) => client.flushAll(),
  get_stats: (client, argument: string | null) => pairs(client.getStats(argument ?? undefined) as never),
  get_slabs: (client) => pairs(client.getSlabs() as never),
  get_slab_stats: (client) => pairs(client.getSlabStats() as never),
  disconnect_all: (client) => client.disconnectAll(),
  quit_all: (client) => client.quitAll(),
  forget_dead_hosts: (client) => client.forgetDeadHosts(),
  reset_cas: (client) => client.resetCas(),
  check_key: (client, key: string, extra: number) => client.checkKey(key, extra),
  debuglog: (client, text: string) => client.debuglog(text),
  set_servers: (client, servers: never) => client.setServers(servers),
  servers: (client) => client.servers.map((server) => new Map(Object.entries(server))),
}
