// Finds or installs a real memcached for the tests.
import { spawnSync } from 'node:child_process'
import { fail } from './setup.mjs'

const works = (command, args) => spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0

/** How memcached will be run: `{ how, path? }`. Ends the process with an instruction when there is no way. */
export function ensureMemcached() {
  const given = process.env.MEMSHIM_MEMCACHED
  if (given === 'docker') return { how: 'Docker, as MEMSHIM_MEMCACHED says' }
  if (given) {
    if (!works(given, ['-V'])) fail(`MEMSHIM_MEMCACHED=${given} is not a memcached that runs`)
    return { how: `${given}, as MEMSHIM_MEMCACHED says`, path: given }
  }
  if (works('memcached', ['-V'])) return { how: 'memcached on PATH', path: 'memcached' }
  if (works('docker', ['info'])) return { how: 'Docker' }
  if (install() && works('memcached', ['-V'])) {
    return { how: 'memcached, just installed by the package manager', path: 'memcached' }
  }
  fail(
    'the tests need a real memcached: install it (apt-get install memcached, dnf install memcached, brew install memcached), start Docker, or set MEMSHIM_MEMCACHED to a binary',
  )
}

function install() {
  const sudo = process.getuid?.() === 0 ? [] : works('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined
  const managers = [
    ['brew', ['--version'], [['brew', 'install', 'memcached']], []],
    [
      'apt-get',
      ['--version'],
      [
        ['apt-get', 'update', '-q'],
        ['apt-get', 'install', '-y', '-q', 'memcached'],
      ],
      sudo,
    ],
    ['dnf', ['--version'], [['dnf', 'install', '-y', 'memcached']], sudo],
    ['apk', ['--version'], [['apk', 'add', 'memcached']], sudo],
  ]
  for (const [name, probe, commands, prefix] of managers) {
    if (prefix === undefined || !works(name, probe)) continue
    console.log(`Installing memcached (${name}) …`)
    return commands.every((command) => {
      const [first, ...rest] = [...prefix, ...command]
      return spawnSync(first, rest, { stdio: ['ignore', 'ignore', 'inherit'], timeout: 600_000 }).status === 0
    })
  }
  return false
}
