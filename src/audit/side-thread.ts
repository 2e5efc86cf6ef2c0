/** The program of a thread that replays one side of an audit (`replay/apart.ts`). */
import { parentPort, workerData } from 'node:worker_threads'
import { runApart, type ThreadTask } from './replay/run.js'
import { readTraces } from './traces/merged.js'

// Refusals are errors of Python and many: where they were made is of no interest here.
Error.stackTraceLimit = 0
const { files, task } = workerData as ThreadTask
try {
  // Whether the files are of one application was checked before this thread began.
  await runApart(await readTraces(files, { oneApplication: true }), task, (side) => side.listen(parentPort!))
} catch (error) {
  // The other thread meets a wrong line by itself; this is for everything else.
  parentPort!.postMessage({ ended: error instanceof Error ? error.message : String(error) })
} finally {
  parentPort!.unref()
}
