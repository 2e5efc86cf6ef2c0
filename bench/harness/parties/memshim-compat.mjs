import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export async function open({ servers, root }) {
  const { Client } = await import(pathToFileURL(join(root, 'dist', 'compat', 'index.js')).href)
  const client = new Client(servers)
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    touch: (key) => client.touch(key, 600),
    getMulti: (keys) => client.getMulti(keys),
    pick: (found, key) => found.get(key),
    close: () => client.disconnectAll(),
  }
}
