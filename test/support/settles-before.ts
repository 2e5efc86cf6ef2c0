/**
 * Whether a promise settles before a timer that was started with it (milliseconds). Timers fire in their order however long the process
 * stood still, so that this holds on a busy machine where a measured time does not.
 */
export function settlesBefore(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds)
    const settled = () => {
      clearTimeout(timer)
      resolve(true)
    }
    promise.then(settled, settled)
  })
}
