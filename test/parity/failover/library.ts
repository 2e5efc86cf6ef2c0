/** The real pylibmc on a clock that is set by hand, playing timelines: fixtures/record/failover_timelines.py. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fixtures } from '../../differential/recordings.js'
import type { StepOutcome, Timeline } from './timeline.js'

export class Library {
  private readonly process = spawn(
    process.env.MEMSHIM_PYTHON ?? 'python3',
    [join(fixtures, 'record', 'failover_timelines.py')],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  )
  private readonly waiting: { resolve: (outcomes: StepOutcome[]) => void; reject: (error: Error) => void }[] =
    []

  constructor() {
    let complaint = ''
    this.process.stderr.on('data', (chunk) => {
      complaint += chunk
    })
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.waiting.shift()?.resolve(JSON.parse(line) as StepOutcome[])
    })
    this.process.on('exit', (code) => {
      for (const { reject } of this.waiting.splice(0))
        reject(new Error(`failover_timelines.py ended with ${code}: ${complaint}`))
    })
  }

  play(timeline: Timeline): Promise<StepOutcome[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject })
      this.process.stdin.write(`${JSON.stringify(timeline)}\n`)
    })
  }

  close(): void {
    this.process.stdin.end()
  }
}
