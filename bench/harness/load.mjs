// Keeps a number of callers busy on one client, each waiting for its reply before its next request, and counts.

// The clock costs some 80 ns a pair: timing one operation in eight keeps that below 1 % of the fastest client's share.
const TIMED = 8
// Steps between callers, so that they do not walk over the same keys together.
const STRIDE = 7919

/**
 * @param operation (number) → promise
 * @returns a load: `done()` operations so far, `latencies` (milliseconds, one in eight), `stop()`, `failed` promise
 */
export function callers(operation, count) {
  let done = 0
  let stopped = false
  let latencies = []
  const call = async (caller) => {
    let number = caller * STRIDE
    let untilTimed = caller % TIMED
    while (!stopped) {
      number++
      if (untilTimed-- > 0) {
        await operation(number)
      } else {
        untilTimed = TIMED - 1
        const start = performance.now()
        await operation(number)
        latencies.push(performance.now() - start)
      }
      done++
    }
  }
  const all = Promise.all(Array.from({ length: count }, (_, caller) => call(caller)))
  return {
    done: () => done,
    takeLatencies: () => {
      const taken = latencies
      latencies = []
      return taken
    },
    failed: all,
    stop: () => {
      stopped = true
      return all
    },
  }
}

/** Calls a synchronous function over and over for the given seconds. */
export function tight(operation, seconds) {
  const CHECK = 256
  const end = performance.now() + seconds * 1000
  let done = 0
  while (performance.now() < end) {
    for (let i = 0; i < CHECK; i++) operation(done + i)
    done += CHECK
  }
  return done
}
