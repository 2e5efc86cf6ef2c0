// Compiles src/ to dist/: one ES module a door with what they share in chunks, source maps, type declarations.
// Bundled because Node takes about half a millisecond to find, read and link each module of a program that starts.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
  // File and line are enough: the code is readable as it is, and the sources would be half of the package.
  sourcesContent: false,
  logLevel: 'warning',
})
await joinSmallChunks(join(dist, 'chunks'))
tool('typescript/bin/tsc', ['-p', 'tsconfig.build.json'])
// A program that checks the declarations may not read JSON as modules: the type of the list of versions is written out.
const columns = join(dist, 'rules', 'columns.d.ts')
const versions = JSON.stringify(JSON.parse(readFileSync(join(source, 'rules', 'versions.json'), 'utf8')))
writeFileSync(
  columns,
  readFileSync(columns, 'utf8').replace(/^import versions from .*$/m, `declare const versions: ${versions};`),
)
chmodSync(join(dist, 'cli', 'main.js'), 0o755)
writeFileSync(join(dist, '.built'), '')

/** What many doors share in different combinations comes as chunks of a few hundred bytes each. Those that import nothing become one. */
async function joinSmallChunks(folder) {
  const SMALL = 8192
  const chunks = readdirSync(folder).filter((file) => file.endsWith('.js'))
  const text = (file) => readFileSync(file, 'utf8')
  const small = chunks.filter((file) => {
    const code = text(join(folder, file))
    return code.length < SMALL && !/^(import|\} from) /m.test(code)
  })
  if (small.length < 2) return
  await build({
    stdin: { contents: small.map((file) => `export * from './${file}'`).join('\n'), resolveDir: folder },
    outfile: join(folder, 'ground.js'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    sourcemap: true,
    logLevel: 'warning',
  })
  for (const file of small) for (const gone of [file, `${file}.map`]) rmSync(join(folder, gone))
  const imports = new RegExp(`(["'](?:\\.\\.?/)+(?:chunks/)?)(?:${small.join('|')})(["'])`, 'g')
  for (const file of readdirSync(dist, { recursive: true }).filter((file) => file.endsWith('.js'))) {
    const path = join(dist, file)
    writeFileSync(path, text(path).replace(imports, '$1ground.js$2'))
  }
}
