import { open as openOne } from './memjs.mjs'

/** memjs with as many keys on each server as on every other: a client for each server, in turn. Its own placement leaves some servers without keys. */
export async function open({ servers, values }) {
  const clients = await Promise.all(servers.map((server) => openOne({ servers: [server], values })))
  const of = (key) => clients[Number(/\d+$/.exec(key)[0]) % clients.length]
  return {
    get: (key) => of(key).get(key),
    set: (key, value) => of(key).set(key, value),
    close: () => Promise.all(clients.map((client) => client.close())),
  }
}
