/** The real pylibmc on a clock that is set by hand, playing timelines: fixtures/record/failures/failover_timelines.py. */
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fixtures } from '../../differential/support/recordings.js'
import type { StepOutcome, Timeline } from './timeline.js'

export class Library {
  private readonly process = spawn(
    process.env.MEMSHIM_PYTHON ?? 'python3',
    [join(fixtures, 'record', 'failures', 'failover_timelines.py')],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  )
  private readonly waiting: { resolve: (answer: unknown) => void; reject: (error: Error) => void }[] = []

  /** What keeps the recorder from running here, or undefined. */
  static missing(): string | undefined {
    const compiler = process.env.CC ?? 'cc'
    const { error } = spawnSync(compiler, ['--version'], { stdio: 'ignore' })
    return error ? `no C compiler: ${compiler}` : undefined
  }

  constructor() {
    let complaint = ''
    this.process.stderr.on('data', (chunk) => {
      complaint += chunk
    })
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.waiting.shift()?.resolve(JSON.parse(line))
    })
    this.process.on('exit', (code, signal) => {
      for (const { reject } of this.waiting.splice(0))
        reject(new Error(`failover_timelines.py ended with ${code ?? signal}: ${complaint}`))
    })
  }

  play(timeline: Timeline): Promise<StepOutcome[]> {
    return this.ask(timeline) as Promise<StepOutcome[]>
  }

  private ask(question: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject })
      this.process.stdin.write(`${JSON.stringify(question)}\n`)
    })
  }

  /** Versions of what answers. */
  provenance(): Promise<unknown> {
    return this.ask({ describe: true })
  }

  close(): void {
    this.process.stdin.end()
  }
}
