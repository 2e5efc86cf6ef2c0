// Runs the test suites of Python libraries and frameworks, unmodified, with the real library and with memshim in its place.
import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { bundle } from '../../scripts/bundle.mjs'
import { figures, outcomesIn } from './outcomes.mjs'

const here = import.meta.dirname
const root = join(here, '..', '..')
const cache = join(root, '.cache', 'suites')
const repository = 'https://github.com/linsomniac/python-memcached'
/** Milliseconds. */
const longestSuite = 600_000

export const suites = JSON.parse(readFileSync(join(here, 'suites.json'), 'utf8'))

/** Something that a suite needs cannot be had here. */
export class Unavailable extends Error {}

function quiet(command, args, options = {}) {
  const done = spawnSync(command, args, { encoding: 'utf8', ...options })
  if (done.status !== 0)
    throw new Unavailable(
      `${command} ${args.join(' ')}: ${(done.stderr || String(done.error ?? '')).trim().split('\n').at(-1)}`,
    )
  return done.stdout
}

/** A folder that is made once: it counts only when the work on it was finished. */
function once(folder, make) {
  if (existsSync(join(folder, '.made'))) return folder
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  make(folder)
  writeFileSync(join(folder, '.made'), '')
  return folder
}

function slug(text) {
  return text.replace(/[^\w.]+/g, '-')
}

function environment(python, packages) {
  return once(join(cache, 'venv', slug(packages.join(' '))), (folder) => {
    quiet(python, ['-m', 'venv', folder])
    // From source, against the system's libmemcached: the wheel brings another one.
    quiet(join(folder, 'bin', 'python'), [
      '-m',
      'pip',
      'install',
      '-q',
      '--no-binary',
      'pylibmc',
      ...packages,
    ])
  })
}

function sources(python, { sdist, git }, gitDirectory) {
  if (git !== undefined) {
    const bare =
      gitDirectory ??
      once(join(cache, 'python-memcached.git'), (folder) => {
        quiet('git', ['clone', '-q', '--bare', repository, join(folder, 'repository')])
      })
    const from = existsSync(join(bare, 'repository')) ? join(bare, 'repository') : bare
    return once(join(cache, 'suite', `python-memcached-${git}`), (folder) => {
      quiet('git', ['-C', from, 'archive', '-o', join(folder, 'tests.tar'), git, 'tests'])
      quiet('tar', ['xf', join(folder, 'tests.tar'), '-C', folder])
    })
  }
  const folder = once(join(cache, 'sdist', slug(sdist)), (made) => {
    const [name] = sdist.split('==')
    quiet(python, ['-m', 'pip', 'download', '-q', '--no-deps', '--no-binary', name, '-d', made, sdist])
    const archive = readdirSync(made).find((file) => file.endsWith('.tar.gz'))
    quiet('tar', ['xzf', join(made, archive), '-C', made])
  })
  return join(folder, readdirSync(folder, { withFileTypes: true }).find((entry) => entry.isDirectory()).name)
}

/** The library under test is the installed one: a source tree that has it too must not come first on the path. */
function testsAlone(folder, { copy, name }) {
  if (copy === undefined) return folder
  return once(join(cache, 'suite', slug(name)), (made) =>
    cpSync(join(folder, copy), join(made, copy), { recursive: true }),
  )
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}

function compiled() {
  const library = join(cache, 'redirect.so')
  quiet('cc', ['-shared', '-fPIC', '-o', library, join(here, 'redirect.c'), '-ldl'])
  return library
}

/** `memcached` on the PATH of suites that start their own: on our port, whatever they ask for. It leaves its process id. */
function ownMemcached(memcached, port) {
  const folder = join(cache, 'bin', String(port))
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'memcached')
  writeFileSync(
    file,
    `#!/bin/sh\necho $$ >> ${folder}/pids\nexec ${memcached} -u root -l 127.0.0.1 -U 0 "$@" -p ${port}\n`,
  )
  chmodSync(file, 0o755)
  return {
    folder,
    /** Suites leave their server running. */
    stop() {
      const pids = existsSync(join(folder, 'pids'))
        ? readFileSync(join(folder, 'pids'), 'utf8').trim().split('\n')
        : []
      for (const pid of pids.filter((pid) => isServer(pid, port))) {
        try {
          process.kill(Number(pid))
        } catch {}
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A suite may have ended its server, and the system may have given the process id to another program since. */
function isServer(pid, port) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(String(port))
  } catch {
    // Without /proc nothing tells.
    return !existsSync('/proc/self')
  }
}

async function bridgeProgram() {
  const outfile = join(cache, `bridge.${process.pid}.mjs`)
  await bundle(join(here, 'bridge', 'main.ts'), outfile)
  return outfile
}

/**
 * Runs one suite twice. @returns figures of outcomes.mjs, and the number of calls that went through the bridge
 * @throws Unavailable when packages, sources, a compiler or memcached cannot be had
 */
export async function runSuite(suite, { python, memcached, gitDirectory }) {
  mkdirSync(cache, { recursive: true })
  const venv = environment(python, suite.packages)
  const folder = testsAlone(sources(python, suite, gitDirectory), suite)
  const redirect = compiled()
  const bridge = await bridgeProgram()
  const port = await freePort()
  const server = suite.ownServer
    ? undefined
    : spawn(memcached, ['-u', 'root', '-l', '127.0.0.1', '-p', String(port), '-U', '0'], { stdio: 'ignore' })
  // By its path: a `memcached` on PATH would be this file itself.
  const own = suite.ownServer
    ? ownMemcached(quiet('sh', ['-c', 'command -v "$0"', memcached]).trim(), port)
    : undefined
  const calls = join(cache, `calls.${process.pid}`)
  rmSync(calls, { force: true })
  try {
    const play = (inPlace) => {
      const interpreter = join(venv, 'bin', 'python')
      const [cwd, command] = suite.django
        ? [
            join(folder, 'tests'),
            ['runtests.py', '--settings=suites_settings', '--parallel=1', '-v', '2', ...suite.run],
          ]
        : [folder, ['-m', 'pytest', '-q', '-rA', ...suite.run]]
      const modules = ['python', ...(suite.pymemcache ? ['python-pymemcache'] : [])]
      const paths = [...(inPlace ? modules.map((name) => join(here, name)) : []), join(here, 'settings')]
      const done = spawnSync(interpreter, command, {
        cwd,
        encoding: 'utf8',
        timeout: longestSuite,
        maxBuffer: 1 << 28,
        env: {
          ...process.env,
          PATH: own ? `${own.folder}:${process.env.PATH}` : process.env.PATH,
          PYTHONPATH: paths.join(':'),
          LD_PRELOAD: redirect,
          MEMCACHED_PORT: '11211',
          DOGPILE_MEMCACHED_PORT: '11211',
          MEMSHIM_SUITES_PORT: String(port),
          MEMSHIM_SUITES_BACKEND: suite.django ?? '',
          MEMSHIM_NODE: process.execPath,
          MEMSHIM_BRIDGE: bridge,
          MEMSHIM_BRIDGE_CALLS: calls,
          MEMSHIM_EMULATE: `python-memcached-${suite.emulate ?? '1.62'}`,
          MEMSHIM_STRICT_OPTIONS: JSON.stringify(suite.options ?? {}),
        },
      })
      const output = `${done.stdout}\n${done.stderr}`
      writeFileSync(join(cache, `${slug(suite.name)}.${inPlace ? 'memshim' : 'real'}.txt`), output)
      return outcomesIn(output)
    }
    const found = figures(suite.name, play(false), play(true))
    const counted = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []
    return { ...found, calls: counted.reduce((sum, count) => sum + Number(count), 0) }
  } finally {
    server?.kill()
    own?.stop()
    rmSync(bridge, { force: true })
    rmSync(calls, { force: true })
  }
}
