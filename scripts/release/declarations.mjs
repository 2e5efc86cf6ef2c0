// Compiles a program that uses every entry point of the package against its declarations, with all of a strict user's settings and without
// skipLibCheck: TypeScript 5.5 to the newest, @types/node 20 to the newest, and each way of resolving modules. What it needs is
// installed under .cache/declarations, pinned here.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuild, ensureDependencies, fail, root } from '../setup.mjs'

const COMPILERS = { 5.5: '5.5.4', 5.9: '5.9.3', 7: '7.0.2' }
const NODE_TYPES = { 20: '20.19.43', 22: '22', 24: '24', 26: '26.6.7' }
const RESOLUTIONS = [
  { module: 'node16', moduleResolution: 'node16' },
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
]

ensureDependencies()
ensureBuild()

const folder = join(root, '.cache', 'declarations')
const { exports: doors } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
/** e.g. `26`, to try one version of @types/node alone. */
const [only] = process.argv.slice(2)

const compilers = Object.entries(COMPILERS).map(([name, version]) => [
  `compiler-${name}`,
  `npm:typescript@${version}`,
])
install(folder, Object.fromEntries(compilers))
const names = Object.keys(doors).filter((door) => door !== './package.json')
const imports = names.map((door, i) => `import * as door${i} from 'memshim${door.slice(1)}'`)
const program = `${imports.join('\n')}\nexport const doors = [${names.map((_, i) => `door${i}`)}]\n`

const failed = []
for (const types of Object.keys(NODE_TYPES).filter((version) => only === undefined || version === only)) {
  const project = projectOf(types)
  for (const compiler of Object.keys(COMPILERS)) {
    for (const resolution of RESOLUTIONS) {
      const title = `TypeScript ${compiler}, @types/node ${types}, ${resolution.moduleResolution}`
      const output = compile(compiler, project, resolution)
      console.log(`${output === '' ? '✓' : '✗'} ${title}${output === '' ? '' : `\n${output}`}`)
      if (output !== '') failed.push(title)
    }
  }
}
if (failed.length > 0) fail(`declarations do not compile with ${failed.join('; ')}`)

/** A user's project with this version of @types/node, and the package as it is published. */
function projectOf(types) {
  const project = join(folder, `types-${types}`)
  install(project, { '@types/node': NODE_TYPES[types] })
  const copy = join(project, 'node_modules', 'memshim')
  rmSync(copy, { recursive: true, force: true })
  cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true })
  cpSync(join(root, 'package.json'), join(copy, 'package.json'))
  writeFileSync(join(project, 'program.ts'), program)
  return project
}

function install(directory, dependencies) {
  mkdirSync(directory, { recursive: true })
  const wanted = `${JSON.stringify({ private: true, type: 'module', dependencies }, null, 1)}\n`
  const manifest = join(directory, 'package.json')
  if (existsSync(manifest) && readFileSync(manifest, 'utf8') === wanted) return
  writeFileSync(manifest, wanted)
  const command = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--loglevel=error',
  ]
  const done = spawnSync('npm', command, {
    cwd: directory,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (done.status === 0) return
  rmSync(manifest)
  fail('what the check needs could not be installed')
}

/** The output of the compiler; empty when there are no errors. */
function compile(compiler, project, resolution) {
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    skipLibCheck: false,
    noEmit: true,
    types: ['node'],
    ...resolution,
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }))
  const tsc = join(folder, 'node_modules', `compiler-${compiler}`, 'bin', 'tsc')
  const done = spawnSync(process.execPath, [tsc, '-p', project, '--pretty', 'false'], { encoding: 'utf8' })
  if (done.error) return String(done.error)
  // @types/node 26 itself has errors with TypeScript 5.5, which are not ours.
  const ours = done.stdout.split('\n').filter((line) => /^(\S*[\\/])?(memshim[\\/]|program\.ts)/.test(line))
  return [...ours.slice(0, 20), done.stderr].join('\n').trim()
}
