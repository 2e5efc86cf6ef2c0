/** Real memcached servers, each behind a fault proxy. */
import { connect } from 'node:net'
import { FaultProxy, parseFault } from '../../src/server/index.js'
import { type Memcached, startMemcached } from '../support/memcached.js'
import { onOwnPort } from '../support/own-ports.js'
import { type Recording, wireBytes } from './recordings.js'
import type { CheckedStage } from './replay-stage.js'

export async function liveStage({ scenario }: Recording): Promise<CheckedStage> {
  // One thread, so that what has been sent on a connection that is closed now comes before what another one sends.
  const args = ['-t', '1', ...(scenario.memcached ?? [])]
  const memcached: Memcached[] = []
  const proxies: FaultProxy[] = []
  for (let i = 0; i < scenario.servers; i++) {
    const server = await startMemcached({ args })
    memcached.push(server)
    proxies.push(
      await onOwnPort(async (port) => {
        const proxy = new FaultProxy({ target: server.address, port })
        await proxy.start()
        return proxy
      }),
    )
  }
  return {
    patience: 10,
    addresses: proxies.map(({ address }) => address),
    fault: async (step) => {
      await proxies[step.server ?? 0]!.fault(parseFault({ server: 0, later: 'answered', ...step }))
    },
    raw: async (step) => talk(memcached[step.server ?? 0]!.port, wireBytes(step.raw ?? '')),
    difference: async () => undefined,
    stop: async () => {
      await Promise.all(proxies.map((proxy) => proxy.stop()))
      await Promise.all(memcached.map((server) => server.stop()))
    },
  }
}

/** Sends bytes past the client and waits until the server has worked on them. */
export async function talk(port: number, bytes: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let seen = ''
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1')
      if (seen.includes('VERSION')) socket.end()
    })
    socket.on('close', () => resolve())
    socket.write(Buffer.from(`${bytes}version\r\n`, 'latin1'))
  })
}
