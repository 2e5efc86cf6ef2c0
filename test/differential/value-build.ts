/** `src/values` as JavaScript in a directory of its own, for child processes that a test can limit and lose. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

export interface ValueBuild {
  /** Directory that has `values/index.js`. */
  readonly directory: string
  remove(): void
}

export function buildValues(): ValueBuild {
  const directory = mkdtempSync(join(tmpdir(), 'memshim-values-'))
  writeFileSync(join(directory, 'package.json'), '{"type": "module"}')
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  for (const room of ['ground', 'values', 'values/pickle', 'python']) {
    mkdirSync(join(directory, room), { recursive: true })
    const files = readdirSync(join(root, 'src', room)).filter((name) => /(?<!\.test)\.ts$/.test(name))
    for (const name of files) {
      const { outputText } = ts.transpileModule(readFileSync(join(root, 'src', room, name), 'utf8'), {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
      })
      writeFileSync(join(directory, room, name.replace(/ts$/, 'js')), outputText)
    }
  }
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}
