/** A Python interpreter of an environment with real packages, which runs code over JSON lines (fixtures/record/values/python_shell.py). */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fromTypedJson, type TypedJson, toTypedJson } from '../../src/values/index.js'

const root = join(import.meta.dirname, '..', '..')

/** The interpreter of an environment below .cache/venvs; undefined when it is not there. */
export function environment(name: string): string | undefined {
  const python = join(root, '.cache', 'venvs', name, 'bin', 'python')
  return existsSync(python) ? python : undefined
}

export class PythonShell {
  private readonly child: ChildProcessWithoutNullStreams
  private readonly lines: AsyncIterator<string>
  private complaint = ''

  constructor(python: string) {
    this.child = spawn(python, [join(root, 'fixtures', 'record', 'values', 'python_shell.py')])
    this.child.stderr.on('data', (chunk) => {
      this.complaint = `${this.complaint}${chunk}`.slice(-4000)
    })
    this.lines = createInterface(this.child.stdout)[Symbol.asyncIterator]()
  }

  /**
   * What the code leaves in `result`, preserved: floats are PyFloat, tuples PyTuple.
   * @param given names for the code, with values of Python
   * @throws Error when the code raises, with its trace
   */
  async run(code: string, given: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const names = Object.entries(given).map(([name, value]) => [name, toTypedJson(value)])
    this.child.stdin.write(`${JSON.stringify({ code, given: Object.fromEntries(names) })}\n`)
    const { value, done } = await this.lines.next()
    if (done) throw new Error(`the Python process ended: ${this.complaint}`)
    const answer = JSON.parse(value) as { result: TypedJson; raises?: string; trace?: string }
    if (answer.raises !== undefined) throw new Error(answer.trace)
    return fromTypedJson(answer.result)
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit')
    this.child.stdin.end()
    await ended
  }
}
