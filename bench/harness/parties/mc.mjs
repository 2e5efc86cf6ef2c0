import mc from 'mc'

const promised = (start) =>
  new Promise((resolve, reject) => start((error, value) => (error ? reject(error) : resolve(value))))

export async function open({ servers, values }) {
  const client = new mc.Client(servers, values === 'text' ? mc.Adapter.string : mc.Adapter.binary)
  await promised((done) => client.connect(done))
  return {
    get: async (key) => (await promised((done) => client.get(key, done)))[key],
    set: (key, value) => promised((done) => client.set(key, value, { exptime: 0 }, done)),
    getMulti: (keys) => promised((done) => client.get(keys, done)),
    pick: (found, key) => found[key],
    close: () => client.disconnect(),
  }
}
