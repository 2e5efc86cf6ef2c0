import { Memcache } from 'memcache'

export async function open({ servers }) {
  const client = new Memcache({ nodes: servers })
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    getMulti: (keys) => client.gets(keys),
    pick: (found, key) => found.get(key),
    close: () => client.quit(),
  }
}
