// memcached for one row: started on free ports, kept to one core, ended with the row.
import { spawn, spawnSync } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { cpus } from 'node:os'

const has = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0

/** Server on the last core, client on the first; nothing where the system cannot pin or has one core. */
export const pinning =
  cpus().length > 1 && has('taskset', ['-c', '0', 'true'])
    ? { client: ['taskset', '-c', '0'], server: ['taskset', '-c', String(cpus().length - 1)] }
    : { client: [], server: [] }

/** Ports that are free now. All are held until the last is found: closed one by one, a port comes up twice. */
async function freePorts(count) {
  const probes = Array.from({ length: count }, () => createServer())
  for (const probe of probes) await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const ports = probes.map((probe) => probe.address().port)
  for (const probe of probes) await new Promise((resolve) => probe.close(resolve))
  return ports
}

async function accepting(port) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`memcached did not accept connections on port ${port}`)
}

/** @returns `servers` as `host:port`, the processes' `pids`, and `stop()` */
export async function startServers(memcached, count) {
  const started = []
  for (const port of await freePorts(count)) {
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
    const megabytes = count > 1 ? '64' : '1024'
    const [command, ...args] = [
      ...pinning.server,
      ...[memcached, '-l', '127.0.0.1', '-p', String(port), '-U', '0', '-t', '1', '-m', megabytes],
      ...user,
    ]
    started.push({ port, child: spawn(command, args, { stdio: 'ignore' }) })
  }
  const stop = () => {
    for (const { child } of started) child.kill()
  }
  process.once('exit', stop)
  for (const { port, child } of started) {
    await accepting(port)
    if (child.exitCode !== null) throw new Error(`memcached on port ${port} ended with ${child.exitCode}`)
  }
  return {
    servers: started.map(({ port }) => `127.0.0.1:${port}`),
    pids: started.map(({ child }) => child.pid),
    stop: () => {
      process.off('exit', stop)
      stop()
    },
  }
}
