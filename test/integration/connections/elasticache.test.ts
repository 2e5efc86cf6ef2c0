/** ElastiCache's `config get cluster`, from a server that answers as its documentation shows. */
import { createServer, type Server } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { Client, discoverCluster } from '../../../src/strict/index.js'
import { startMemcached } from '../../support/memcached.js'

let server: Server | undefined
afterEach(() => server?.close())

/** Answers with the same bytes, cut in two. */
async function answering(reply: string): Promise<string> {
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      if (!chunk.toString().startsWith('config get cluster\r\n')) return
      socket.write(reply.slice(0, 20))
      setTimeout(() => socket.write(reply.slice(20)), 5)
    })
  })
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}

const config = (body: string) => `CONFIG cluster 0 ${Buffer.byteLength(body)}\r\n${body}\r\nEND\r\n`

it('the nodes of the cluster, by name where there is one, as servers of a client', async () => {
  const body =
    '12\nnode-1.cache.example.com|10.82.235.120|11211 node-2.cache.example.com||11212 |fd00::1|11213\n'
  const cluster = await discoverCluster(await answering(config(body)))
  expect(cluster).toEqual({
    version: 12,
    servers: ['node-1.cache.example.com:11211', 'node-2.cache.example.com:11212', '[fd00::1]:11213'],
  })
  expect(new Client(cluster.servers).addresses).toHaveLength(3)
})

it.each([
  ['x\nhost|1.2.3.4|11211\n', 'version'],
  [`${'9'.repeat(400)}\nhost|1.2.3.4|11211\n`, 'version'],
  ['1\nhost 1.2.3.4 11211\n', 'host|address|port'],
  ['1\n/var/run/docker.sock||80\n', 'host|address|port'],
  ['1\nhost|/run/node.sock|80 |/run/node.sock|80\n', 'host|address|port'],
  ['1\nhost\u001b[31m||80\n', 'host|address|port'],
  ['1\nhost||0\n', 'host|address|port'],
  ['1\nhost||65536\n', 'host|address|port'],
])('an answer that makes no sense is named: %j', async (body, message) => {
  await expect(discoverCluster(await answering(config(body)))).rejects.toThrow(message)
})

it('messages do not repeat a long answer', async () => {
  const endpoint = await answering(config(`1\n${'x'.repeat(100_000)}\n`))
  const error: Error = await discoverCluster(endpoint).catch((error) => error)
  expect(error.message).toContain('host|address|port')
  expect(error.message.length).toBeLessThan(300)
})

it('an answer of more than 256 KiB is refused by its announced length', async () => {
  const endpoint = await answering(`CONFIG cluster 0 ${2 ** 20}\r\n1\n`)
  await expect(discoverCluster(endpoint)).rejects.toMatchObject({ kind: 'unintelligible' })
})

it('a memcached that is not a configuration endpoint says so', async () => {
  const memcached = await startMemcached()
  await expect(discoverCluster(memcached.address)).rejects.toThrow('is not a configuration endpoint')
  await memcached.stop()
})

it('an endpoint that says nothing is a timeout', async () => {
  await expect(discoverCluster(await answering(''), { timeout: 50 })).rejects.toMatchObject({
    kind: 'timeout',
  })
})
