/** The program of a thread that replays one side of an audit (`replay/apart.ts`). */
import { parentPort, workerData } from 'node:worker_threads'
import { runApart, type ThreadTask } from './replay/run.js'
import { readTraces } from './traces/merged.js'

// Stack traces are off, because replays create many errors of Python.
Error.stackTraceLimit = 0
const { files, task } = workerData as ThreadTask
try {
  // The main thread has already checked that the files are of one application.
  await runApart(await readTraces(files, { oneApplication: true }), task, (side) => side.listen(parentPort!))
} catch (error) {
  // The main thread reports a wrong line itself; this is for all other errors.
  parentPort!.postMessage({ ended: error instanceof Error ? error.message : String(error) })
} finally {
  parentPort!.unref()
}
