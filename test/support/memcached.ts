/**
 * A real memcached for a test: a local binary where there is one, Docker through testcontainers elsewhere.
 * Both give the same `Memcached`. Order: MEMSHIM_MEMCACHED (path of a binary, or `docker`), `memcached` on PATH, Docker.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface MemcachedOptions {
  /** Further memcached arguments, e.g. `['-M', '-m', '8']`. */
  readonly args?: readonly string[]
  /** Further environment variables; a local binary only. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Memcached {
  readonly host: string
  readonly port: number
  /** `host:port` */
  readonly address: string
  /** What serves it: the path of the binary, or the image. */
  readonly runs: string
  /** Ends the server; connections are cut, later connects are refused. */
  stop(): Promise<void>
  /** Starts it again, empty, on the same port. */
  start(): Promise<void>
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
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'memcached')
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {}
  }
  return undefined
}

/** What the memcached that tests get calls itself, e.g. `1.6.18`. */
export async function memcachedVersion(): Promise<string> {
  const binary = memcachedBinary()
  if (binary) return versionIn(execFileSync(binary, ['-V'], { encoding: 'latin1' }))
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

function versionIn(text: string): string {
  const version = /\d+\.\d+\.\d+/.exec(text)?.[0]
  if (version === undefined) throw new Error(`memcached tells no version: ${text}`)
  return version
}

/** @throws Error with a one-line instruction when neither a binary nor Docker is there. */
export async function startMemcached(options: MemcachedOptions = {}): Promise<Memcached> {
  const binary = memcachedBinary()
  return binary ? startBinary(binary, options) : startContainer(options.args ?? [])
}

async function startBinary(binary: string, options: MemcachedOptions): Promise<Memcached> {
  const host = '127.0.0.1'
  let { child, port } = await spawnBinary(binary, options, -1)
  return {
    host,
    port,
    address: `${host}:${port}`,
    runs: binary,
    async stop() {
      await end(child)
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async start() {
      ;({ child, port } = await spawnBinary(binary, options, port))
    },
  }
}

async function spawnBinary(binary: string, { args = [], env }: MemcachedOptions, port: number) {
  const folder = mkdtempSync(join(tmpdir(), 'memshim-memcached-'))
  const portFile = join(folder, 'ports')
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : []
  const child = spawn(binary, ['-l', '127.0.0.1', '-p', String(port), '-U', '0', ...user, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // memcached writes the port it bound here once it listens; `-p -1` lets it choose a free one.
    env: { ...process.env, ...env, MEMCACHED_PORT_FILENAME: portFile },
  })
  let complaint = ''
  child.stderr.on('data', (chunk) => {
    complaint += chunk
  })
  children.add(child)
  try {
    for (let waited = 0; waited < 10_000; waited += 5) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`${binary} ended: ${complaint}`)
      const bound = boundPort(portFile)
      if (bound !== undefined) return { child, port: bound }
      await sleep(5)
    }
    child.kill('SIGKILL')
    throw new Error(`${binary} did not listen within 10 s: ${complaint}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function boundPort(file: string): number | undefined {
  try {
    const match = /TCP INET: (\d+)/.exec(readFileSync(file, 'utf8'))
    return match ? Number(match[1]) : undefined
  } catch {
    return undefined
  }
}

const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

async function end(child: ChildProcess): Promise<void> {
  children.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
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
  const host = container.getHost()
  await accepting(host, port)
  return {
    host,
    port,
    address: `${host}:${port}`,
    runs: IMAGE,
    async stop() {
      await container?.stop()
      container = undefined
    },
    async start() {
      container = await run()
      await accepting(host, port)
    },
    freeze: notInDocker,
    thaw: notInDocker,
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
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
