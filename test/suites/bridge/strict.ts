/** memshim/strict for pylibmc's own Python package. */
import { Client } from '../../../src/strict/index.js'
import { PyTuple } from '../../../src/values/index.js'
import type { Hooks } from './hooks.js'
import { list, number, options, settings } from './pipes.js'

type Operation = (client: Client, ...args: never[]) => unknown

/** Further options of every client, e.g. `{"protocol":"meta"}`: the same suites with other settings. */
const extra = JSON.parse(process.env.MEMSHIM_STRICT_OPTIONS ?? '{}') as Record<string, unknown>

/** @param own which of serialize and deserialize a subclass overrides */
export function makeStrict(
  servers: readonly unknown[],
  given: unknown,
  own: readonly string[],
  hooks: Hooks,
  idOf: (client: object) => number,
): Client {
  const { behaviors, ...rest } = settings(given)
  class Hooked extends Client {}
  if (own.includes('serialize'))
    Hooked.prototype.serialize = function (value) {
      return list(hooks.call(idOf(this), 'serialize', [value])) as never
    }
  if (own.includes('deserialize'))
    Hooked.prototype.deserialize = function (data, flags) {
      return hooks.call(idOf(this), 'deserialize', [Buffer.from(data), flags])
    }
  const { protocol, ...others } = extra
  return new Hooked(
    servers.map(list) as never,
    {
      ...(behaviors ? { behaviors: settings(behaviors) } : {}),
      ...rest,
      preserve: true,
      ...others,
      ...(protocol && !rest.binary ? { protocol } : {}),
    } as never,
  )
}

const stores = Object.fromEntries(
  (['set', 'add', 'replace', 'append', 'prepend'] as const).map((verb): [string, Operation] => [
    verb,
    (client, key: string, value: unknown, given: unknown) => client[verb](key, value, options(given)),
  ]),
)

export const strictOperations: Readonly<Record<string, Operation>> = {
  ...stores,
  get: (client, key: string, missing: unknown) => client.get(key, missing),
  gets: async (client, key: string) =>
    new PyTuple((await client.gets(key)).map((part) => part ?? null) as never),
  get_multi: (client, keys: string[], given: unknown) => client.getMulti(keys, options(given)),
  cas: (client, key: string, value: unknown, token: bigint, time: unknown) =>
    client.cas(key, value, token, number(time) as number),
  set_multi: (client, mapping: never, given: unknown) => client.setMulti(mapping, options(given)),
  add_multi: (client, mapping: never, given: unknown) => client.addMulti(mapping, options(given)),
  incr: (client, key: string, delta: unknown) => client.incr(key, number(delta) as number),
  decr: (client, key: string, delta: unknown) => client.decr(key, number(delta) as number),
  incr_multi: (client, keys: string[], given: unknown) => client.incrMulti(keys, options(given)),
  delete: (client, key: string) => client.delete(key),
  delete_multi: (client, keys: string[], given: unknown) => client.deleteMulti(keys, options(given)),
  touch: (client, key: string, time: unknown) => client.touch(key, number(time) as number),
  hash: (client, key: string) => client.hash(key),
  flush_all: (client, time: unknown) => client.flushAll(number(time) as number),
  get_stats: (client, argument: string | null) => client.getStats(argument ?? undefined),
  disconnect_all: (client) => client.disconnectAll(),
  get_behaviors: (client) => client.getBehaviors(),
  set_behaviors: (client, given: unknown) => client.setBehaviors(settings(given)),
  serialize: (client, value: unknown) => new PyTuple(Client.prototype.serialize.call(client, value) as never),
  deserialize: (client, data: Uint8Array, flags: number) =>
    Client.prototype.deserialize.call(client, data as never, flags),
}
