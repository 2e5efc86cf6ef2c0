/** Credentials and encryption against a real memcached (docs/reference/pylibmc.md#2.2). Its SASL library asks this test who may come in. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client, type ClientOptions, MemcachedError, ServerDown } from '../../../src/strict/index.js'
import { type Memcached, memcachedBinary, startMemcached } from '../../support/memcached.js'

const folder = mkdtempSync(join(tmpdir(), 'memshim-sasl-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Which features the local binary was built with; Docker's image has them both, but not this test's files. */
const help = memcachedBinary() ? spawnSync(memcachedBinary()!, ['-h'], { encoding: 'utf8' }).stdout : ''
const builtWith = (option: string) => help.includes(option)

/** saslauthd's protocol: user, password, service and realm, each with its length before it; `OK` or `NO`. */
function authority(): Server {
  return createServer((socket) => {
    let received = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      const words: string[] = []
      let at = 0
      while (words.length < 4 && received.length >= at + 2) {
        const end = at + 2 + received.readUInt16BE(at)
        if (received.length < end) return
        words.push(received.toString('utf8', at + 2, end))
        at = end
      }
      if (words.length < 4) return
      const answer = words[0] === 'ada' && words[1] === 'countess' ? 'OK' : 'NO'
      socket.end(Buffer.concat([Buffer.from([0, answer.length]), Buffer.from(answer)]))
    })
  })
}

const outcome = (call: Promise<unknown>) => call.catch((error: unknown) => error)
const made: Client[] = []
function client(server: Memcached, options: ClientOptions): Client {
  const mc = new Client([server.address], options)
  made.push(mc)
  return mc
}
afterAll(() => {
  for (const mc of made) mc.disconnectAll()
})

describe.skipIf(!builtWith('--enable-sasl'))('SASL PLAIN (memcached -S)', () => {
  let guarded: Memcached
  let open: Memcached
  const door = authority()
  beforeAll(async () => {
    const mux = join(folder, 'mux')
    await new Promise<void>((resolve) => door.listen(mux, resolve))
    const settings = [
      'mech_list: plain',
      'pwcheck_method: saslauthd',
      `saslauthd_path: ${mux}`,
      'log_level: 0',
    ]
    writeFileSync(join(folder, 'memcached.conf'), `${settings.join('\n')}\n`)
    guarded = await startMemcached({ args: ['-S'], env: { SASL_CONF_PATH: folder } })
    open = await startMemcached()
  })
  afterAll(async () => {
    await guarded.stop()
    await open.stop()
    door.close()
  })

  it('the right password opens the door, also after a reconnect', async () => {
    const mc = client(guarded, { binary: true, username: 'ada', password: 'countess' })
    expect(await mc.set('k', { a: [1, 2] })).toBe(true)
    mc.disconnectAll()
    expect(await mc.get('k')).toEqual({ a: [1, 2] })
    expect(await mc.clone().getMulti(['k', 'none'])).toEqual(new Map([['k', { a: [1, 2] }]]))
  })

  it('a wrong password is error 41, and the server waits for its retry', async () => {
    const mc = client(guarded, { binary: true, username: 'ada', password: 'wrong' })
    const error = await outcome(mc.set('k', 1))
    expect(error).toBeInstanceOf(MemcachedError)
    expect(error).toMatchObject({ constructor: MemcachedError, code: 41 })
    expect(await outcome(mc.get('k'))).toBeInstanceOf(ServerDown)
  })

  it('empty credentials are error 40, nothing is sent', async () => {
    const mc = client(guarded, { binary: true, username: '', password: '' })
    expect(await outcome(mc.set('k', 1))).toMatchObject({ constructor: MemcachedError, code: 40 })
  })

  it('credentials for a server without SASL are UnknownReadFailure (7), then ServerDown', async () => {
    const mc = client(open, { binary: true, username: 'ada', password: 'countess' })
    expect(await outcome(mc.get('k'))).toMatchObject({ retcode: 7 })
    expect(await outcome(mc.get('k'))).toBeInstanceOf(ServerDown)
  })

  it('without credentials set is error 41 and get a miss', async () => {
    const mc = client(guarded, { binary: true })
    expect(await outcome(mc.set('k', 1))).toMatchObject({ code: 41 })
    expect(await mc.get('k')).toBeUndefined()
    expect(await mc.getMulti(['k'])).toEqual(new Map())
  })
})

describe.skipIf(!builtWith('--enable-ssl'))('TLS (memcached -Z)', () => {
  let memcached: Memcached
  const key = join(folder, 'key.pem')
  const certificate = join(folder, 'certificate.pem')
  beforeAll(async () => {
    execFileSync('openssl', [
      'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, '-days', '2',
      '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1',
    ], { stdio: 'ignore' }) // biome-ignore format: one command
    memcached = await startMemcached({
      args: ['-Z', '-o', `ssl_chain_cert=${certificate},ssl_key=${key}`],
    })
  })
  afterAll(() => memcached.stop())

  const ca = () => readFileSync(certificate)
  it.each([
    ['text', {}],
    ['binary', { binary: true }],
  ] as const)('%s: values of all sizes go both ways', async (_name, options) => {
    const mc = client(memcached, { ...options, tls: { ca: ca() } })
    const big = 'x'.repeat(500_000)
    expect(await mc.setMulti({ small: 1, big })).toEqual([])
    expect(await Promise.all([mc.get('small'), mc.get('big'), mc.get('none')])).toEqual([1, big, undefined])
  })

  it('a certificate of an unknown authority is refused, and nothing is sent', async () => {
    const mc = client(memcached, { tls: true })
    expect(await outcome(mc.set('k', 1))).toMatchObject({
      retcode: 3,
      message: expect.stringContaining('error 3'),
    })
  })
})
