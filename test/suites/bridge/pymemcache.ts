/** memshim/pymemcache for programs that import pymemcache: its HashClient, which Django's backend makes. */
import { HashClient, pickleSerde } from '../../../src/pymemcache/index.js'
import { number, options } from './pipes.js'

type Operation = (client: HashClient, ...args: never[]) => unknown

export function makePymemcache(servers: readonly unknown[], given: unknown): HashClient {
  const { serde, ...rest } = options(given)
  return new HashClient(
    servers as never,
    { ...rest, ...(serde === null ? {} : { serde: pickleSerde({ preserve: true }) }) } as never,
  )
}

const stores = Object.fromEntries(
  (['set', 'add', 'replace', 'append', 'prepend'] as const).map((verb): [string, Operation] => [
    verb,
    (client, key: string, value: unknown, given: unknown) => client[verb](key, value, options(given)),
  ]),
)

export const pymemcacheOperations: Readonly<Record<string, Operation>> = {
  ...stores,
  get: (client, key: string, missing: unknown) => client.get(key, missing),
  get_many: (client, keys: string[]) => client.getMany(keys),
  set_many: (client, values: never, given: unknown) => client.setMany(values, options(given)),
  incr: (client, key: string, value: unknown, given: unknown) =>
    client.incr(key, number(value) as number, options(given)),
  decr: (client, key: string, value: unknown, given: unknown) =>
    client.decr(key, number(value) as number, options(given)),
  delete: (client, key: string, given: unknown) => client.delete(key, options(given)),
  delete_many: (client, keys: string[], given: unknown) => client.deleteMany(keys, options(given)),
  touch: (client, key: string, given: unknown) => client.touch(key, options(given)),
  flush_all: (client) => client.flushAll(),
  close: (client) => client.close(),
  disconnect_all: (client) => client.disconnectAll(),
}
