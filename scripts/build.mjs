// Compiles src/ to dist/: one ES module a door with what they share in chunks, source maps, type declarations.
// Bundled because Node takes about half a millisecond to find, read and link each module of a program that starts.
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, tool } from './setup.mjs'

// Not a static import: setup.mjs installs it.
const { build } = await import('esbuild')
const dist = join(root, 'dist')
const source = join(root, 'src')
const rooms = readdirSync(source, { withFileTypes: true })
const doors = rooms.filter((room) => room.isDirectory()).map(({ name }) => `${name}/index.ts`)
const present = new Set(readdirSync(source, { recursive: true }))
rmSync(dist, { recursive: true, force: true })
await build({
  entryPoints: [
    'index.ts',
    'cli/main.ts',
    'audit/side-thread.ts',
    'adapters/keyv.ts',
    'adapters/unstorage.ts',
    ...doors.filter((door) => present.has(door)),
  ].map((file) => join(source, file)),
  outdir: dist,
  outbase: source,
  // Two folders down like the doors: what finds a file by its own place finds it from either.
  chunkNames: 'chunks/[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: true,
  logLevel: 'warning',
})
tool('typescript/bin/tsc', ['-p', 'tsconfig.build.json'])
chmodSync(join(dist, 'cli', 'main.js'), 0o755)
writeFileSync(join(dist, '.built'), '')
