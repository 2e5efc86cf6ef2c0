// Items as pylibmc stores them (python-items.json, written by record_python_items.py), put into a server byte for byte.
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'

/** @returns the item's `flags` and `data`, and the value that every reader must make of it */
export function pythonItem(name) {
  const { items } = JSON.parse(readFileSync(new URL('python-items.json', import.meta.url), 'utf8'))
  const found = items.find((item) => item.name === name)
  return {
    item: { flags: found.flags, data: Buffer.from(found.data, 'base64') },
    value: JSON.parse(found.json),
  }
}

/** Stores one item under every key, over a connection of its own. */
export function store(server, keys, { flags, data }) {
  const [host, port] = server.split(':')
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host)
    let replies = ''
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      replies += chunk
      if (replies.length < keys.length * 'STORED\r\n'.length) return
      socket.destroy()
      if (replies === 'STORED\r\n'.repeat(keys.length)) resolve()
      else reject(new Error(`the server answered ${replies.slice(0, 80)}`))
    })
    for (const key of keys) {
      socket.write(`set ${key} ${flags} 0 ${data.length}\r\n`)
      socket.write(data)
      socket.write('\r\n')
    }
  })
}
