// Runs a TypeScript program of test/ in a Node of its own: bundled, with the options that it needs.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup.mjs'

/** Ends with the program's exit code. */
export async function runBundled(name, entry, nodeOptions, args, env = {}) {
  const { build } = await import('esbuild')
  const cache = join(root, '.cache')
  mkdirSync(cache, { recursive: true })
  const outfile = join(cache, `${name}.${process.pid}.mjs`)
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  })
  const done = spawnSync(process.execPath, [...nodeOptions, outfile, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  const { rmSync } = await import('node:fs')
  rmSync(outfile, { force: true })
  return done.status ?? 1
}
