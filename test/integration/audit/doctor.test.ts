/** The doctor at a real memcached, at the embedded look-alikes, and where nothing answers. */
import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { traceOf } from '../../../src/audit/index.js'
import { doctor, renderDoctor, usedCommands } from '../../../src/doctor/index.js'
import { startServer } from '../../../src/server/index.js'
import { memcachedVersion, startMemcached } from '../../support/memcached.js'

it('a real memcached: version, limits, protocols and latency, and nothing is changed', async () => {
  const server = await startMemcached({ args: ['-I', '2m', '-C'] })
  const report = await doctor({ servers: [server.address] })
  await server.stop()
  const [found] = report.servers
  expect(found).toMatchObject({ kind: 'memcached', version: await memcachedVersion() })
  expect(found?.settings).toMatchObject({ item_size_max: '2097152', cas_enabled: 'no' })
  expect(found?.abilities).toMatchObject({ 'binary protocol': true, touch: true, stats: true })
  expect(found?.latency?.median).toBeGreaterThan(0)
  const texts = found?.findings.map(({ text }) => text).join()
  expect(texts).toContain('server_max_value_length')
  expect(texts).toContain('CAS is off')
  expect(renderDoctor(report)).toContain(`memcached ${found?.version}`)
})

it('a look-alike: its kind, and the commands of the application that it refuses', async () => {
  const server = await startServer({ version: 'dragonfly' })
  const trace = traceOf(
    'app',
    { format: 'memshim-trace/1', library: 'python-memcached', version: '1.59', servers: 1 },
    [
      { kind: 'call', line: 2, t: 0, client: 'c', call: 'touch', args: ['k', 5], kwargs: {} },
      { kind: 'wire', line: 3, t: 0, client: 'c', wire: 'touch k 5\r\n', server: 0 },
      { kind: 'call', line: 4, t: 0, client: 'c', call: 'get_multi', args: [['k']], kwargs: {} },
    ],
  )
  const report = await doctor({ servers: [server.address], used: await usedCommands(trace) })
  await server.stop()
  expect(report.servers[0]?.kind).toBe('Dragonfly')
  expect(report.servers[0]?.refused).toEqual([{ command: 'touch', calls: 2 }])
})

it('an endpoint without a server, and one with another server, are problems with advice', async () => {
  const web = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  const port = (web.address() as { port: number }).port
  const { servers } = await doctor({ servers: ['127.0.0.1:1', `127.0.0.1:${port}`], timeout: 1000 })
  web.close()
  expect(servers.map(({ kind }) => kind)).toEqual(['unreachable', 'no memcached'])
  expect(servers[0]?.findings[0]).toMatchObject({
    level: 'problem',
    text: expect.stringContaining('firewall'),
  })
  await expect(doctor({ servers: ['a:b:c:d'] })).rejects.toMatchObject({ name: 'DoctorError' })
})

it('a failed TLS connection is explained by its reason, and an answer cannot move the cursor of the terminal', async () => {
  const hostile = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => socket.end(Buffer.from('\x9b2Jwho \x1b[1mare you\r\n', 'latin1')))
  })
  await new Promise<void>((resolve) => hostile.listen(0, '127.0.0.1', resolve))
  const servers = [`127.0.0.1:${(hostile.address() as { port: number }).port}`]
  const plain = await doctor({ servers })
  const encrypted = await doctor({ servers: [...servers, '127.0.0.1:1'], tls: {} })
  hostile.close()
  expect(renderDoctor(plain)).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
  expect(renderDoctor(plain)).toContain('2Jwho')
  const texts = encrypted.servers.map(({ findings }) => findings[0]?.text)
  expect(texts[0]).toContain('is it a server without TLS?')
  expect(texts[1]).toContain('is the address right')
})
