// Runs TypeScript programs of test/ in a Node of their own: bundled, with the options that they need.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

/** Bundles a TypeScript program into one file. Packages are not part of it. @param outfile the file that is written */
export async function bundle(entry, outfile) {
  // Not a static import: setup.mjs installs it.
  const { build } = await import('rolldown')
  await build({
    input: entry,
    external: (module) => !/^[./\0]/.test(module) && !/^[a-z]:[\\/]/i.test(module),
    platform: 'node',
    tsconfig: join(root, 'tsconfig.json'),
    logLevel: 'silent',
    output: { file: outfile, format: 'esm', codeSplitting: false },
  })
}

/** Ends with the program's exit code. */
export async function runBundled(name, entry, nodeOptions, args, env = {}) {
  const cache = join(root, '.cache')
  mkdirSync(cache, { recursive: true })
  const outfile = join(cache, `${name}.${process.pid}.mjs`)
  await bundle(join(root, entry), outfile)
  const done = spawnSync(process.execPath, [...nodeOptions, outfile, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  rmSync(outfile, { force: true })
  return done.status ?? 1
}
