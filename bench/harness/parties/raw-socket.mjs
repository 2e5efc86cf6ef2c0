// The floor under every client: commands made beforehand, one write for all that became free, replies counted by their
// length in one reused buffer. No promises, no parsing, no values.
import { connect } from 'node:net'

// Above this, copying commands into one buffer costs more than the vector write that cork gives.
const JOIN_LIMIT = 16_384
const RECEIVE_BYTES = 1 << 18

/**
 * @param server `host:port`
 * @param commands the cycle of commands: `{ bytes, reply }` with the reply's length in bytes
 * @param inFlight how many are under way at a time
 */
export function pump(server, commands, inFlight) {
  const [host, port] = server.split(':')
  let sent = 0
  let done = 0
  let missing = commands[0].reply
  let stopped = false
  return new Promise((resolve, reject) => {
    const received = (size) => {
      const before = done
      while (size >= missing) {
        size -= missing
        done++
        missing = commands[done % commands.length].reply
      }
      missing -= size
      if (done > before && !stopped) send(done - before)
    }
    const socket = connect({
      host,
      port: Number(port),
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(RECEIVE_BYTES),
        callback: (size) => {
          received(size)
          return true
        },
      },
    })
    const send = (count) => {
      const batch = []
      for (let i = 0; i < count; i++) batch.push(commands[sent++ % commands.length].bytes)
      if (batch[0].length <= JOIN_LIMIT) return socket.write(Buffer.concat(batch))
      socket.cork()
      for (const bytes of batch) socket.write(bytes)
      socket.uncork()
    }
    socket.on('error', reject)
    socket.on('connect', () => {
      send(inFlight)
      resolve({
        done: () => done,
        takeLatencies: () => [],
        stop: async () => {
          stopped = true
          socket.destroy()
        },
      })
    })
  })
}

/** Sends one request and waits until `size` bytes have come back. */
export function exchange(server, request, size) {
  const [host, port] = server.split(':')
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host, () => socket.write(request))
    const chunks = []
    let length = 0
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      length += chunk.length
      if (length < size) return
      socket.destroy()
      resolve(Buffer.concat(chunks))
    })
  })
}
