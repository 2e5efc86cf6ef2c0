import memjs from 'memjs'

// memjs returns Buffers always: where the row wants text, making it is the caller's work and so part of the operation.
export async function open({ servers, values }) {
  const client = memjs.Client.create(servers.join(','))
  const get =
    values === 'text'
      ? async (key) => (await client.get(key)).value.toString()
      : async (key) => (await client.get(key)).value
  return {
    get,
    set: (key, value) => client.set(key, value, {}),
    // It has no multi-get: a hundred gets at once are what its users write.
    getMulti: (keys) =>
      Promise.all(keys.map(get)).then((found) => new Map(keys.map((k, i) => [k, found[i]]))),
    pick: (found, key) => found.get(key),
    close: () => client.close(),
  }
}
