/**
 * A listening socket on the loopback whose backlog is full: the kernel drops the first packet of every further connection, so that
 * connecting times out. It listens in a thread that is then held, since Node.js accepts whatever its event loop sees.
 */
import { connect, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'

export interface FullBacklog {
  /** `host:port`. */
  readonly address: string
  stop(): Promise<void>
}

const LISTENER = `
const { createServer } = require('node:net')
const { parentPort } = require('node:worker_threads')
const server = createServer().listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  parentPort.postMessage(server.address().port)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})
`
/** Milliseconds after which a connection counts as dropped; the loopback takes microseconds. */
const PATIENCE = 300

/** Undefined where the system refuses connections to a full backlog instead of dropping them. */
export async function fullBacklog(): Promise<FullBacklog | undefined> {
  const worker = new Worker(LISTENER, { eval: true })
  const port = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  const waiting: Socket[] = []
  const stop = async (): Promise<void> => {
    for (const socket of waiting) socket.destroy()
    await worker.terminate()
  }
  for (;;) {
    const outcome = await attempt(port, waiting)
    if (outcome === 'connected') continue
    if (outcome === 'dropped') return { address: `127.0.0.1:${port}`, stop }
    await stop()
    return undefined
  }
}

function attempt(port: number, waiting: Socket[]): Promise<'connected' | 'dropped' | 'refused'> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve('connected'))
    waiting.push(socket)
    socket.once('error', () => resolve('refused'))
    setTimeout(() => resolve('dropped'), PATIENCE)
  })
}
