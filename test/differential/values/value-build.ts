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

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

export interface ValueBuild {
  /** Directory that has `values/index.js`. */
  readonly directory: string
  remove(): void
}

export function buildValues(): ValueBuild {
  const directory = mkdtempSync(join(tmpdir(), 'memshim-values-'))
  writeFileSync(join(directory, 'package.json'), '{"type": "module"}')
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  for (const room of ['ground', 'python', 'values']) {
    const source = join(root, 'src', room)
    for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
      if (!/(?<!\.test)\.ts$/.test(name)) continue
      const { outputText } = ts.transpileModule(readFileSync(join(source, name), 'utf8'), {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
      })
      const target = join(directory, room, name.replace(/ts$/, 'js'))
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, outputText)
    }
  }
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) }
}
