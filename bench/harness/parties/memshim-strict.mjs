import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const load = (root, room) => import(pathToFileURL(join(root, 'dist', room, 'index.js')).href)

export async function open({ servers, root, options = {} }) {
  const { Client } = await load(root, 'strict')
  const client = new Client(servers, {
    ...(servers.length > 1 ? { behaviors: { ketama: 1 } } : {}),
    ...options,
  })
  return {
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, value),
    getMulti: (keys) => client.getMulti(keys),
    pick: (found, key) => found.get(key),
    close: () => client.disconnectAll(),
  }
}

export async function openOffline({ servers, hash, root }) {
  const { placement, hashes, hashKey } = await load(root, 'hashing')
  const placed = servers.map((server) => {
    const [host, port] = server.split(':')
    return { host, port: Number(port), weight: 1 }
  })
  const settings = { hash: 'md5', distribution: 'consistent weighted', weighted: true }
  const ring = () => placement(placed, settings)
  let placer
  return {
    hash: (key) => hashKey(hashes[hash], key),
    place: (key) => {
      placer ??= ring()
      return placer.place(key)
    },
    nameOf: (place) => servers[place],
    ring,
  }
}
