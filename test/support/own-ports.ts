/**
 * Ports for servers that go down during a test and must not be replaced by another test's meanwhile. The system gives its own ports
 * (32768 and above on Linux) to whoever asks next, so these lie below, and none comes up again before thousands of others have.
 */

const LOWEST = 12_000
const COUNT = 20_000
/** Test processes run side by side. */
const workers = 8
const worker = Number(process.env.VITEST_POOL_ID ?? 0) % workers

let next = Math.floor((Math.random() * COUNT) / workers)

/** Tries one port after the other until the server starts. @throws what starting throws, unless the port is taken */
export async function onOwnPort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    next = (next + 1) % (COUNT / workers)
    try {
      return await start(LOWEST + next * workers + worker)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === 100) throw error
    }
  }
}
