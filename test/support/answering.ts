/** A server that gives the same answer to every request. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'

const servers = new Set<Server>()

export function stopAnswering(): void {
  for (const server of servers) server.close()
  servers.clear()
}

/** Once or again and again; notes what it has seen of its clients. */
export async function answering(answer: (request: Buffer) => Buffer, closes = false) {
  const seen = { connections: 0, requests: 0, usedAgain: false }
  const server = createServer((socket) => {
    let used = false
    seen.connections++
    socket.on('data', (request) => {
      seen.requests++
      seen.usedAgain ||= used
      used = true
      if (closes) socket.end(answer(request))
      else socket.write(answer(request))
    })
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  servers.add(server)
  await once(server, 'listening')
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}
