/**
 * A real memcached for a test: a local binary where there is one, Docker through testcontainers elsewhere.
 * Both give the same `Memcached`. Order: MEMSHIM_MEMCACHED (path of a binary, or `docker`), `memcached` on PATH, Docker.
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  endMemcached,
  type MemcachedOptions,
  memcachedOnPath,
  spawnMemcached,
  versionIn,
  versionOfBinary,
} from '../../src/parity/memcached.js'
import { PortHold } from '../../src/server/port-hold.js'

export interface Memcached {
  readonly host: string
  readonly port: number
  /** `host:port` */
  readonly address: string
  /** What serves it: the path of the binary, or the image. */
  readonly runs: string
  /** Ends the server; connections are cut. */
  stop(): Promise<void>
  /** Ends the server; connections are cut, later connects are refused. Its port is kept for `up`. */
  down(): Promise<void>
  /** Starts it again, empty, on the same port. */
  up(): Promise<void>
  /** SIGSTOP and SIGCONT; a local binary only. */
  freeze(): void
  thaw(): void
}

const IMAGE = 'memcached:1.6'
const NONE =
  'no memcached: set MEMSHIM_MEMCACHED to a memcached binary, put memcached on PATH (apt-get install memcached, brew install memcached), or start Docker'

/** Path of the binary to use, or undefined when Docker must serve. */
export function memcachedBinary(): string | undefined {
  const given = process.env.MEMSHIM_MEMCACHED
  if (given === 'docker') return undefined
  if (given) return given
  return memcachedOnPath()
}

/** What the memcached that tests get calls itself, e.g. `1.6.18`. */
export async function memcachedVersion(): Promise<string> {
  const binary = memcachedBinary()
  if (binary) return versionOfBinary(binary)
  const server = await startContainer([])
  try {
    const socket = connect(server.port, server.host)
    socket.write('version\r\n')
    const [reply] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return versionIn(reply.toString('latin1'))
  } finally {
    await server.stop()
  }
}

/** @throws Error with a one-line instruction when neither a binary nor Docker is there. */
export async function startMemcached(options: MemcachedOptions = {}): Promise<Memcached> {
  const binary = memcachedBinary()
  return binary ? startBinary(binary, options) : startContainer(options.args ?? [])
}

async function startBinary(binary: string, options: MemcachedOptions): Promise<Memcached> {
  const host = '127.0.0.1'
  let { child, port } = await spawnMemcached(binary, options)
  let hold: PortHold | undefined
  return {
    host,
    port,
    address: `${host}:${port}`,
    runs: binary,
    async stop() {
      hold?.release()
      await endMemcached(child)
    },
    async down() {
      hold = await PortHold.prepare(host)
      await endMemcached(child)
      await hold.take(port)
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async up() {
      ;({ child, port } = await spawnMemcached(binary, { ...options, port }))
      hold?.release()
      hold = undefined
    },
  }
}

function notInDocker(): never {
  throw new Error('a container cannot be frozen by signal here: use a local memcached')
}

async function startContainer(args: readonly string[]): Promise<Memcached> {
  const { GenericContainer } = await import('testcontainers')
  const port = await freePort()
  const run = () =>
    new GenericContainer(IMAGE)
      .withCommand(['memcached', ...args])
      // A fixed host port, so that a restarted server is found where it was.
      .withExposedPorts({ container: 11211, host: port })
      .start()
      .catch((cause) => {
        throw new Error(NONE, { cause })
      })
  let container: Awaited<ReturnType<typeof run>> | undefined = await run()
  const stop = async () => {
    await container?.stop()
    container = undefined
  }
  const host = container.getHost()
  await accepting(host, port)
  return {
    host,
    port,
    address: `${host}:${port}`,
    runs: IMAGE,
    stop,
    down: stop,
    async up() {
      container = await run()
      await accepting(host, port)
    },
    freeze: notInDocker,
    thaw: notInDocker,
  }
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

/** A port of 127.0.0.1 on which connections are refused; it is kept until `release`. */
export async function refusingPort(): Promise<{ readonly port: number; release(): void }> {
  const hold = await PortHold.prepare('127.0.0.1')
  const port = await hold.take(0)
  return { port, release: () => hold.release() }
}

async function accepting(host: string, port: number): Promise<void> {
  for (let waited = 0; waited < 10_000; waited += 50) {
    const socket = connect(port, host)
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ])
    socket.destroy()
    if (open) return
    await sleep(50)
  }
  throw new Error(`memcached in Docker does not accept connections on ${host}:${port}`)
}
