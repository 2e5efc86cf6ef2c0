/** Passwords and keys: certificates are checked by default, and no secret appears in anything that is told or shown. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServer } from '../../src/server/index.js'
import { Client, type ClientOptions } from '../../src/strict/index.js'
import { certificate } from '../faults/stage.js'

const password = 'correct-horse-battery-staple'
const credentials = { binary: true, username: 'ada', password } as const
const everything = { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true } as const

describe('a password', () => {
  it('goes unencrypted to this machine alone, unless that is allowed by name', () => {
    const away = ['10.0.0.1:11211']
    expect(() => new Client(away, credentials)).toThrow(
      'the password would go unencrypted to 10.0.0.1:11211: set the option tls, or plaintextPassword when that is meant',
    )
    for (const options of [{ tls: true as const }, { plaintextPassword: true }])
      expect(() => new Client(away, { ...credentials, ...options })).not.toThrow()
    for (const here of ['127.0.0.1', '127.1.2.3:5', 'localhost', '[::1]:1', '/tmp/memcached.sock'])
      expect(() => new Client([here], credentials)).not.toThrow()
    for (const other of ['127.0.0.1.example.com', 'localhost.example.com', '[::2]:1', '128.0.0.1'])
      expect(() => new Client([other], credentials)).toThrow('unencrypted')
  })

  it('is in no error, event or inspection', async () => {
    const server = await startServer()
    const told: unknown[] = []
    const hear = (message: unknown) => told.push(inspect(message, everything))
    const channels = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'].map(
      (step) => `tracing:memshim:command:${step}`,
    )
    for (const channel of channels) subscribe(channel, hear)
    const mc = new Client([server.address], { ...credentials, timeout: 5000 })
    told.push(inspect(mc, everything), JSON.stringify(Object.keys(mc)), String(mc))
    for (const call of [mc.get('k'), mc.set('k', 1), mc.getStats()]) {
      const error = await call.catch((problem: unknown) => problem)
      told.push(inspect(error, everything), error instanceof Error ? error.stack : '')
      told.push(inspect(mc, everything))
    }
    for (const channel of channels) unsubscribe(channel, hear)
    mc.disconnectAll()
    await server.stop()
    expect(told.length).toBeGreaterThan(6)
    const base64 = Buffer.from(`ada\0ada\0${password}`).toString('base64')
    for (const text of told) {
      expect(text).not.toContain(password)
      expect(text).not.toContain(base64)
    }
  })
})

const tls = certificate()

describe.skipIf(!tls)('TLS', () => {
  let port = 0
  const seen: { servername: string | false | undefined; certificate: boolean }[] = []
  const server = tls
    ? createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: false }, (socket: TLSSocket) => {
        seen.push({
          servername: socket.servername ?? undefined,
          certificate: Object.keys(socket.getPeerCertificate()).length > 0,
        })
        socket.on('error', () => {})
        socket.on('data', () => socket.write('END\r\n'))
      })
    : undefined
  beforeAll(async () => {
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
    port = (server!.address() as { port: number }).port
  })
  afterAll(() => server?.close())

  const get = async (host: string, options: ClientOptions['tls']) => {
    const mc = new Client([`${host}:${port}`], { tls: options as true, timeout: 10_000 })
    try {
      return await mc.get('k')
    } finally {
      mc.disconnectAll()
    }
  }

  it('certificates are checked by default: one that nobody vouches for is refused', async () => {
    await expect(get('127.0.0.1', true)).rejects.toMatchObject({ retcode: 3 })
  })

  it('a certificate of another name is refused', async () => {
    const options = { ca: tls!.cert, servername: 'another.example.com' }
    await expect(get('127.0.0.1', options)).rejects.toMatchObject({ retcode: 3 })
  })

  it('with its own authority it is taken, and the name of the server is sent', async () => {
    seen.length = 0
    expect(await get('localhost', { ca: tls!.cert })).toBeUndefined()
    expect(seen).toEqual([{ servername: 'localhost', certificate: false }])
  })

  it('a certificate of the client is shown to the server', async () => {
    seen.length = 0
    expect(await get('localhost', { ca: tls!.cert, cert: tls!.cert, key: tls!.key })).toBeUndefined()
    expect(seen).toEqual([{ servername: 'localhost', certificate: true }])
  })

  it('the key of the client is in no inspection', () => {
    const key = tls!.key.toString()
    const mc = new Client(['127.0.0.1:1'], {
      tls: { ca: tls!.cert, cert: tls!.cert, key, passphrase: password },
    })
    const shown = inspect(mc, everything)
    expect(shown).not.toContain(key.slice(60, 120))
    expect(shown).not.toContain(password)
  })
})
