/** A real Python library in a process of its own, driven over JSON lines (fixtures/record/driver.py). */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import versions from '../../src/rules/versions.json' with { type: 'json' }
import type { TypedJson } from '../../src/values/index.js'

const driver = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'fixtures', 'record', 'driver.py')

export type Answer =
  | { readonly result: TypedJson }
  | { readonly raises: { readonly class: string; readonly retcode?: number; readonly message?: string } }

export interface InstalledLibrary {
  readonly library: 'pylibmc' | 'python-memcached'
  readonly version: string
  /** The interpreter that has it; undefined when it could not be installed here. */
  readonly python: string | undefined
}

/** The libraries that `npm test` installs, by the environment variables it sets. */
export const installed: readonly InstalledLibrary[] = [...live('pylibmc'), ...live('python-memcached')]

function live(library: InstalledLibrary['library']): readonly InstalledLibrary[] {
  const columns: Readonly<Record<string, { readonly recorded?: boolean; readonly live?: string }>> =
    versions[library]
  return Object.entries(columns).flatMap(([version, { live }]) =>
    live === undefined ? [] : [{ library, version, python: process.env[live] }],
  )
}

/** Why live tests are left out, for their titles. */
export const skipped = process.env.MEMSHIM_PYTHON_SKIPPED ?? 'run `npm test` to install the Python libraries'

export class PythonLibrary {
  private readonly child: ChildProcessWithoutNullStreams
  private readonly lines: AsyncIterator<string>

  constructor({ python, library }: InstalledLibrary) {
    this.child = spawn(python!, [driver, library])
    this.child.stderr.resume()
    this.lines = createInterface(this.child.stdout)[Symbol.asyncIterator]()
  }

  /** Creates the client `a`. */
  async start(servers: readonly string[], kwargs: Readonly<Record<string, TypedJson>> = {}): Promise<void> {
    await this.read()
    await this.create(servers, kwargs)
  }

  /** Creates the client `a` anew. */
  async create(servers: readonly string[], kwargs: Readonly<Record<string, TypedJson>>): Promise<void> {
    const made = await this.ask({ new: 'a', servers, kwargs })
    if ('raises' in made) throw new Error(`${made.raises.class}: ${made.raises.message}`)
  }

  /** Waits until the library is loaded. */
  async ready(): Promise<void> {
    await this.read()
  }

  call(
    name: string,
    args: readonly TypedJson[],
    kwargs: Readonly<Record<string, TypedJson>> = {},
  ): Promise<Answer> {
    return this.ask({ client: 'a', call: name, args, kwargs })
  }

  /** One request of the driver, in its own words (driver.py). */
  async ask(request: object): Promise<Answer> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`)
    return (await this.read()) as Answer
  }

  private async read(): Promise<unknown> {
    const { value, done } = await this.lines.next()
    if (done) throw new Error('the process of the library ended')
    return JSON.parse(value)
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit')
    this.child.stdin.end()
    await ended
  }
}
