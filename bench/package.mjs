// Size and installation of the package beside its rivals: what npm downloads, what lies on the disk, how many packages, how long.
//
//   node bench/package.mjs           three installations of each from npm's own cache, the median; prints a table in Markdown
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(fileURLToPath(import.meta.url), '..', '..')
const RIVALS = ['memjs@1.3.2', 'memcached@2.2.2', 'memcache@1.10.0', '@keyv/memcache@2.0.2', 'mc@1.0.6']
const RUNS = 3

const home = mkdtempSync(join(tmpdir(), 'memshim-install-'))
process.on('exit', () => rmSync(home, { recursive: true, force: true }))

function npm(args, cwd) {
  const done = spawnSync('npm', args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' })
  if (done.status !== 0) throw new Error(`npm ${args.join(' ')} failed: ${done.stderr}`)
  return done.stdout
}

/** Milliseconds, and the folder that it made. */
function install(what, run) {
  const folder = join(home, `${what.replace(/\W/g, '-')}-${run}`)
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  const start = performance.now()
  npm(['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', what], folder)
  return { folder, took: performance.now() - start }
}

function sizeOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0)
}

const packages = (folder) =>
  Object.keys(JSON.parse(npm(['ls', '--all', '--parseable', '--json'], folder)).dependencies ?? {}).length ===
  0
    ? 0
    : npm(['ls', '--all', '--parseable'], folder).trim().split('\n').length - 1

const [packed] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', home], root))
const subjects = [
  { name: `memshim@${packed.version}`, what: join(home, packed.filename), download: packed.size },
]
for (const rival of RIVALS) {
  const [{ size }] = JSON.parse(npm(['pack', '--json', '--pack-destination', home, rival], home))
  subjects.push({ name: rival, what: rival, download: size })
}

console.log('| package | its archive, kB | installed with dependencies, kB | packages | installation, s |')
console.log('| --- | --: | --: | --: | --: |')
// Round by round, so that a busy machine is busy for all of them; the first round fills npm's cache.
const rounds = Array.from({ length: RUNS + 1 }, (_, run) =>
  subjects.map(({ what }) => install(what, run)),
).slice(1)
for (const [index, { name, download }] of subjects.entries()) {
  const took = rounds.map((round) => round[index].took).sort((a, b) => a - b)[RUNS >> 1]
  const { folder } = rounds[0][index]
  const kB = (bytes) => Math.round(bytes / 1000).toLocaleString('en')
  const cells = [
    name,
    kB(download),
    kB(sizeOf(join(folder, 'node_modules'))),
    packages(folder),
    (took / 1000).toFixed(1),
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
