/** The real Python libraries that live tests have, and a client of one of them. */
import { type Answer, PythonLibrary as Library } from '../../src/parity/python-library.js'
import versions from '../../src/rules/versions.json' with { type: 'json' }
import type { TypedJson } from '../../src/values/index.js'

export type { Answer } from '../../src/parity/python-library.js'

type Name = 'pylibmc' | 'python-memcached' | 'pymemcache'

export interface InstalledLibrary<Library extends Name = Name> {
  readonly library: Library
  readonly version: string
  /** The interpreter that has it; undefined when it could not be installed here. */
  readonly python: string | undefined
}

/** The libraries that `npm test` installs, by the environment variables it sets. */
export const installed: readonly InstalledLibrary<'pylibmc' | 'python-memcached'>[] = [
  ...live('pylibmc'),
  ...live('python-memcached'),
]

/** pymemcache's versions. */
export const installedPymemcache: readonly InstalledLibrary[] = live('pymemcache')

function live<Library extends Name>(library: Library): readonly InstalledLibrary<Library>[] {
  const columns: Readonly<
    Record<string, { readonly recorded?: boolean; readonly live?: string; readonly same?: string }>
  > = versions[library]
  return Object.entries(columns).flatMap(([version, { live }]) =>
    live === undefined ? [] : [{ library, version, python: process.env[live] }],
  )
}

/** Why live tests are left out, for their titles. */
export const skipped = process.env.MEMSHIM_PYTHON_SKIPPED ?? 'run `npm test` to install the Python libraries'

export class PythonLibrary extends Library {
  constructor({ python, library }: InstalledLibrary) {
    super(python!, library)
  }

  /** Creates the client `a`. */
  async start(servers: readonly string[], kwargs: Readonly<Record<string, TypedJson>> = {}): Promise<void> {
    await this.ready()
    await this.create(servers, kwargs)
  }

  /** Replaces the client `a` by a new one. */
  async create(servers: readonly string[], kwargs: Readonly<Record<string, TypedJson>>): Promise<void> {
    const made = await this.ask({ new: 'a', servers, kwargs })
    if ('raises' in made) throw new Error(`${made.raises.class}: ${made.raises.message}`)
  }

  call(
    name: string,
    args: readonly TypedJson[],
    kwargs: Readonly<Record<string, TypedJson>> = {},
  ): Promise<Answer> {
    return this.ask({ client: 'a', call: name, args, kwargs })
  }
}
