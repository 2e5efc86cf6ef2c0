import KeyvMemcache from '@keyv/memcache'
import { Keyv } from 'keyv'

export async function open({ servers }) {
  const store = new KeyvMemcache(servers.join(','))
  const client = new Keyv({ store })
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    getMulti: (keys) => client.getMany(keys),
    pick: (found, key, keys) => found[keys.indexOf(key)],
    close: () => store.client.close(),
  }
}
