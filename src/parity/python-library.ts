/** A real Python library in a separate process, driven over JSON lines by python/parity/driver.py. */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TypedJson } from '../values/index.js'

// Two folders up from both src/parity and dist/chunks.
const drivers = fileURLToPath(new URL('../../python/parity/', import.meta.url))

export type PythonLibraryName = 'pylibmc' | 'python-memcached' | 'pymemcache'

/** The library's answer: a value as typed JSON, or an exception. */
export type Answer =
  | { readonly result: TypedJson }
  | {
      readonly raises: {
        readonly class: string
        readonly retcode?: number | undefined
        readonly message?: string
      }
    }

/** Facts about a library of an interpreter. */
export interface LibraryFacts {
  readonly version: string
  /** Version of the interpreter. */
  readonly python: string
  /** The version of pylibmc's shared library, or `unknown`. */
  readonly libmemcached?: string
  /** The file that the module was loaded from. */
  readonly file: string
}

/** An interpreter with its libraries. */
export interface Interpreter {
  readonly path: string
  /** Its version, e.g. `3.11.7`. */
  readonly python: string
  readonly libraries: Readonly<Partial<Record<PythonLibraryName, LibraryFacts>>>
  /** The reasons why the other libraries could not be imported. */
  readonly failures: Readonly<Partial<Record<PythonLibraryName, string>>>
}

/** The given path is not a usable interpreter. */
export class InterpreterError extends Error {
  override readonly name = 'InterpreterError'
}

/** The time limit of an interpreter for listing its libraries, in milliseconds. */
const timeToDescribe = 30_000

/** @throws InterpreterError when the path is not a Python 2.7 or 3 */
export async function inspectInterpreter(path: string): Promise<Interpreter> {
  let said: string
  try {
    said = (await promisify(execFile)(path, [`${drivers}about.py`], { timeout: timeToDescribe })).stdout
  } catch (error) {
    const { code, stderr = '' } = error as {
      readonly code?: number | string | undefined
      readonly stderr?: string
    }
    if (typeof code === 'string') throw new InterpreterError(`${path} cannot be run: ${code}`)
    throw noPython(path, stderr)
  }
  try {
    const found = JSON.parse(said.trim().split('\n').at(-1)!)
    if (typeof found.python === 'string') return { path, ...found }
  } catch {}
  throw noPython(path, said)
}

function noPython(path: string, said: string): InterpreterError {
  const last = said.trim().split('\n').at(-1)
  return new InterpreterError(`${path} is not a Python 2.7 or 3${last ? `: ${last}` : ''}`)
}

/** One process with the library loaded. */
export class PythonLibrary {
  private readonly child: ChildProcessWithoutNullStreams
  private readonly lines: AsyncIterator<string>

  /** @param pythonVersion of the interpreter: Python 2 has its own driver */
  constructor(path: string, library: PythonLibraryName, pythonVersion = '3') {
    const driver = pythonVersion.startsWith('2.') ? 'driver_python2.py' : 'driver.py'
    this.child = spawn(path, [drivers + driver, library])
    this.child.stderr.resume()
    // A library that crashes its process ends the answers; read() reports it.
    this.child.stdin.on('error', () => {})
    this.lines = createInterface(this.child.stdout)[Symbol.asyncIterator]()
  }

  /** Waits until the library is loaded. @throws Error when the process ends instead */
  async ready(): Promise<void> {
    await this.read()
  }

  /** One request in the words of driver.py. @throws Error when the process has ended */
  async ask(request: object): Promise<Answer> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`)
    return (await this.read()) as Answer
  }

  private async read(): Promise<unknown> {
    const { value, done } = await this.lines.next()
    if (done) {
      if (this.running) await once(this.child, 'exit')
      throw new Error('the process of the library ended')
    }
    return JSON.parse(value)
  }

  /** The process has not ended. */
  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  async stop(): Promise<void> {
    if (!this.running) return
    const ended = once(this.child, 'exit')
    this.child.stdin.end()
    await ended
  }
}
