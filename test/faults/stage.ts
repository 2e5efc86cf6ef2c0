/** One server with faults for one cell of the matrix, encrypted where the column asks for it, which counts its connections. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import type { FaultHere } from '../../src/server/front.js'
import { EmbeddedServer } from '../../src/server/index.js'

export interface Stage {
  /** Done when the client has heard of it. */
  fault(fault: FaultHere): Promise<void>
  readonly address: string
  /** Connections so far. */
  readonly connections: () => number
  stop(): Promise<void>
}

export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
}

/** For `localhost` and 127.0.0.1; undefined where there is no openssl to make one. */
export function certificate(): Certificate | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'memshim-tls-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  try {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        '-days',
        '2',
        ...subject,
      ],
      { stdio: 'ignore' },
    )
    return { key: readFileSync(key), cert: readFileSync(cert) }
  } catch {
    return undefined
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export async function startStage(tls?: Certificate): Promise<Stage> {
  const server = new EmbeddedServer()
  await server.start()
  const counted = () => Number(/* of this server alone */ connectionsOf(server))
  if (!tls) {
    const { address } = server
    return { fault: (fault) => server.fault(fault), address, connections: counted, stop: () => server.stop() }
  }
  const front = await encrypted(server, tls)
  return {
    fault: async (fault) => {
      await server.fault(fault)
      if (fault.fault === 'down' || fault.fault === 'cut') await front.allClosed()
    },
    address: front.address,
    connections: counted,
    stop: async () => {
      await front.stop()
      await server.stop()
    },
  }
}

function connectionsOf(server: EmbeddedServer): number {
  return (server as unknown as { connections: number }).connections
}

/** Decrypts in front of the server; the end of one side is the end of the other, and a server that is down hangs up. */
async function encrypted(server: EmbeddedServer, tls: Certificate) {
  const open = new Set<Socket>()
  const front: Server = createTlsServer(tls, (outer) => {
    const inner = connect(server.port, '127.0.0.1')
    open.add(outer).add(inner)
    outer.setNoDelay(true)
    inner.setNoDelay(true)
    outer.pipe(inner)
    inner.pipe(outer)
    for (const [one, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => {
        open.delete(one)
        other.destroy()
      })
    }
  })
  front.on('connection', (raw: Socket) => {
    open.add(raw)
    raw.on('close', () => open.delete(raw))
    raw.on('error', () => {})
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(front.address() as { port: number }).port}`,
    allClosed: async () => {
      while (open.size > 0) await sleep(5)
      // The client lives in this process: its socket tells it in one of the next turns.
      await sleep(50)
    },
    stop: () =>
      new Promise<void>((resolve) => {
        front.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
