import { MemcacheClient } from 'memcache-client'

export async function open({ servers }) {
  const client = new MemcacheClient({ server: servers[0] })
  return {
    get: async (key) => (await client.get(key)).value,
    set: (key, value) => client.set(key, value),
    getMulti: (keys) => client.get(keys),
    pick: (found, key) => found[key].value,
    close: () => client.shutdown(),
  }
}
