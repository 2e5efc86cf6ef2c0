import Memcached from 'memcached'

const promised = (start) =>
  new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))))

export async function open({ servers }) {
  const client = new Memcached(servers)
  return {
    get: (key) => promised((done) => client.get(key, done)),
    set: (key, value) => promised((done) => client.set(key, value, 0, done)),
    getMulti: (keys) => promised((done) => client.getMulti(keys, done)),
    pick: (found, key) => found[key],
    close: () => client.end(),
  }
}
