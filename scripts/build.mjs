// Compiles src/ to dist/: an ES module for each entry point, a few files that they share, source maps, type declarations.
// Bundled because Node takes one to two milliseconds to find, read and link each file of a program that starts.
import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, tool } from './setup.mjs'

// Not a static import: setup.mjs installs it.
const { build, rolldown } = await import('rolldown')
const dist = join(root, 'dist')
const source = join(root, 'src')
const present = new Set(readdirSync(source, { recursive: true }))
const doors = readdirSync(source, { withFileTypes: true })
  .filter((room) => room.isDirectory())
  .map(({ name }) => `${name}/index`)
const programs = ['cli/main', 'audit/side-thread', 'adapters/keyv', 'adapters/unstorage', ...doors]
const entries = programs.filter((program) => present.has(`${program}.ts`))
const common = {
  external: (module) => !/^[./\0]/.test(module) && !/^[a-z]:[\\/]/i.test(module),
  platform: 'node',
  tsconfig: join(root, 'tsconfig.json'),
  treeshake: { moduleSideEffects: false },
}
const inRooms = (...names) => {
  const room = new RegExp(`[\\\\/]src[\\\\/](?:${names.join('|')})[\\\\/]`)
  return (id) => room.test(id)
}
/** Whether a module is part of a program that imports this entry point alone. */
const partOf = async (entry) => {
  const bundle = await rolldown({ ...common, input: join(source, `${entry}.ts`) })
  const { output } = await bundle.generate()
  const used = new Set(output.flatMap(({ modules = {} }) => Object.keys(modules)))
  return (id) => used.has(id)
}
const [ofStrict, ofCompat] = await Promise.all([partOf('strict/index'), partOf('compat/index')])
const inGround = inRooms('ground', 'python', 'values', 'hashing')
const inClient = inRooms('protocol', 'transport', 'pipeline', 'strict')

rmSync(dist, { recursive: true, force: true })
await build({
  ...common,
  input: Object.fromEntries(entries.map((entry) => [entry, join(source, `${entry}.ts`)])),
  output: {
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    // Two folders down like the entry points, so that paths relative to a module are the same for both.
    chunkFileNames: 'chunks/[name].js',
    sourcemap: true,
    // File and line are enough: the code is readable as it is, and the sources would be half of the package.
    sourcemapExcludeSources: true,
    comments: { annotation: true, jsdoc: false, legal: true },
    // A program with a client loads the files of its layer and of lower layers, instead of one file for each combination of entry points, and
    // only the modules that the client uses: V8 reads every line of a file before it runs the first.
    codeSplitting: {
      groups: [
        { name: 'ground', test: (id) => inGround(id) && ofStrict(id), priority: 5 },
        { name: 'values', test: inGround, priority: 4 },
        { name: 'client', test: (id) => inClient(id) && ofStrict(id), priority: 3 },
        { name: 'facade', test: ofCompat, priority: 2 },
        { name: 'tools', test: (id) => inClient(id) || inRooms('rules', 'compat')(id), priority: 1 },
      ],
    },
  },
})
// V8 keeps a file with one character beyond Latin-1 at two bytes a character: twice the memory, and a garbage collection more while a
// program starts.
for (const file of readdirSync(dist, { recursive: true }).filter((name) => name.endsWith('.js'))) {
  const code = readFileSync(join(dist, file), 'utf8')
  const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  writeFileSync(join(dist, file), code.replace(/[^\0-\x7f]/g, escaped))
}
// The main entry point only re-exports the others, and is not bundled: a bundle would put an object of all names into the files of
// its layer, and one file more into every program.
copyFileSync(join(source, 'index.ts'), join(dist, 'index.js'))
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
