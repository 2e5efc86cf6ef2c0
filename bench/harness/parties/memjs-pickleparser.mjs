// What reading Python's items takes without memshim: memjs for the bytes, node:zlib and the best pickle reader of npm.
import { inflateSync } from 'node:zlib'
import memjs from 'memjs'
import { Parser } from 'pickleparser'

const PICKLE = 1
const ZLIB = 8
const TEXT = 16

export async function open({ servers }) {
  const client = memjs.Client.create(servers.join(','))
  const parser = { dictType: 'object' }
  return {
    get: async (key) => {
      const { value, flags } = await client.get(key)
      const word = flags.readUInt32BE(0)
      const data = word & ZLIB ? inflateSync(value) : value
      if (word & TEXT) return data.toString()
      return word & PICKLE ? new Parser(parser).parse(data) : data
    },
    close: () => client.close(),
  }
}
