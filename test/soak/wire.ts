/**
 * Watches the sockets of the soak's process: every write and delete that a client sends, and every one that a proxy passes on to its
 * memcached. Thus the checker knows for each command which life of the server it can have reached, without any assumption about time.
 */
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { KeyModel } from './checker.js'

/** The number that stands for a deletion. */
export const deletion = 0

/** A value of the load begins with its key and number; a deletion has the key alone (text, or the header of the binary protocol). */
const commands =
  /([a-z][a-z0-9-]{0,40}:\d+:\d+) (\d+) (?=[a-z]|\r\nEND)|(?:delete |\x80[\x04\x14][\s\S]{22})([a-z][a-z0-9-]{0,40}:\d+:\d+)/g

/** The commands in bytes that are written to a socket, oldest first. */
export function commandsIn(bytes: string): readonly { readonly key: string; readonly number: number }[] {
  return [...bytes.matchAll(commands)].map(([, key, number, deleted]) =>
    deleted === undefined ? { key: key!, number: Number(number) } : { key: deleted, number: deletion },
  )
}

/** @param proxies the ports that clients connect to; every other connection is a proxy's */
export function watchWire(
  models: ReadonlyMap<string, KeyModel>,
  proxies: ReadonlySet<number>,
  violation: (problem: string) => void,
): void {
  subscribe('net.client.socket', (message) => {
    const { socket } = message as { socket: Socket }
    // After `connect`, which restores the method.
    queueMicrotask(() => watch(socket))
  })

  function watch(socket: Socket): void {
    const { write } = socket
    socket.write = function (this: Socket, ...given: Parameters<typeof write>) {
      const [chunk] = given
      for (const { key, number } of commandsIn(typeof chunk === 'string' ? chunk : latin1(chunk))) {
        const model = models.get(key)
        if (!model) continue
        // A proxy writes to its memcached before it is connected; a client does not.
        if (!proxies.has(socket.remotePort ?? -1)) model.passedOn(number)
        else if (!model.sends(number))
          violation(
            `${number === deletion ? 'a deletion' : `write ${number}`} of ${key} is sent after its call has ended`,
          )
      }
      return write.apply(this, given)
    } as typeof write
  }
}

function latin1(chunk: unknown): string {
  const { buffer, byteOffset, byteLength } = chunk as Uint8Array
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}
