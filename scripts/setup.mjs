// What the npm scripts share: installing what is missing and building what is stale. Node built-ins only, because it
// runs before anything is installed.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Ends the process with one line on standard error. */
export function fail(message) {
  console.error(`memshim: ${message}`)
  process.exit(1)
}

/** Runs a command with our terminal; ends the process when it fails. */
export function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options })
  if (done.error) fail(`${command} could not be started: ${done.error.message}`)
  if (done.status !== 0) fail(`${command} ${args.join(' ')} ended with ${done.status ?? done.signal}`)
}

/** Runs one of the project's own tools with this very Node. */
export function tool(name, args, options = {}) {
  run(process.execPath, [join(root, 'node_modules', name), ...args], options)
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19) || major === 21) {
    fail(`Node ${process.versions.node} is too old: memshim needs 20.19 or newer (20, 22, 24 …)`)
  }
}

/** Dependencies exactly as package-lock.json pins them. Install scripts are not needed, so none is run. */
export function ensureDependencies() {
  checkNode()
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (existsSync(installed) && modified(installed) >= modified(join(root, 'package-lock.json'))) return
  console.log('Installing dependencies (npm ci) …')
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    shell: process.platform === 'win32',
  })
}

/** Compiles src/ to dist/ unless dist/ is newer than every source. */
export function ensureBuild() {
  const built = join(root, 'dist', '.built')
  const sources = ['src', 'tsconfig.json', 'tsconfig.build.json', 'package.json'].map((name) =>
    join(root, name),
  )
  if (existsSync(built) && modified(built) > Math.max(...sources.map(newest))) return
  console.log('Building …')
  run(process.execPath, [join(root, 'scripts', 'build.mjs')])
}

function modified(path) {
  return statSync(path).mtimeMs
}

function newest(path) {
  if (!statSync(path).isDirectory()) return modified(path)
  return Math.max(modified(path), ...readdirSync(path).map((name) => newest(join(path, name))))
}
