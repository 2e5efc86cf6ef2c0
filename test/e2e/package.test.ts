/** What npm would publish: unpacked beside nothing but its dependencies, it loads by import and by require, and runs. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const home = mkdtempSync(join(tmpdir(), 'memshim-package-'))
const installed = join(home, 'node_modules', 'memshim')
afterAll(() => rmSync(home, { recursive: true }))

const node = (...args: string[]) =>
  execFileSync(process.execPath, args, { cwd: home, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

beforeAll(() => {
  const packed = join(home, 'packed')
  mkdirSync(packed)
  mkdirSync(installed, { recursive: true })
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', packed], {
    cwd: root,
    stdio: 'ignore',
    shell: process.platform === 'win32',
  })
  execFileSync('tar', [
    '-xzf',
    join(packed, readdirSync(packed)[0]!),
    '-C',
    installed,
    '--strip-components=1',
  ])
  for (const name of Object.keys(manifest.dependencies))
    symlinkSync(join(root, 'node_modules', name), join(home, 'node_modules', name), 'junction')
})

/** A name that every room must have. */
const rooms = {
  memshim: 'strict',
  'memshim/strict': 'Client',
  'memshim/compat': 'Client',
  'memshim/pymemcache': 'HashClient',
  'memshim/hashing': 'placement',
  'memshim/values': 'unpickle',
  'memshim/audit': 'audit',
  'memshim/server': 'EmbeddedServer',
  'memshim/migration': 'MigratingClient',
  'memshim/record': 'recordPackets',
  'memshim/scan': 'scan',
  'memshim/doctor': 'doctor',
  'memshim/frameworks': 'djangoKey',
  'memshim/keyv': 'KeyvMemcached',
  'memshim/unstorage': 'unstorageDriver',
}

describe('the packed package', () => {
  it('exports these rooms and no other', () => {
    const exported = Object.keys(manifest.exports).filter((name) => name !== './package.json')
    expect(exported.map((name) => `memshim${name.slice(1)}`)).toEqual(Object.keys(rooms))
  })

  it.each(Object.entries(rooms))('%s by import and by require, the same object', (name, symbol) => {
    const code = `const required = require('${name}'); import('${name}').then((imported) => {
      console.log(typeof required.${symbol}, required.${symbol} === imported.${symbol}) })`
    expect(node('-e', code).trim()).toMatch(/^(function|object) true$/)
  })

  it('an error of the required strict client is an instance of the imported classes, and the reverse', () => {
    const code = `const required = require('memshim/strict'); import('memshim/strict').then(async (imported) => {
      for (const [mine, theirs] of [[required, imported], [imported, required]]) {
        const error = await new mine.Client(['127.0.0.1:1']).set('k', 1).catch((error) => error)
        console.log(error.name, error instanceof theirs.ConnectionError, error instanceof theirs.MemcachedError)
      }
    })`
    expect(node('-e', code).trim().split('\n')).toEqual(Array(2).fill('ConnectionError true true'))
  })

  it('has types beside every room, no tests, and the tracer', () => {
    for (const entry of Object.values<{ types: string } | string>(manifest.exports)) {
      if (typeof entry !== 'string') readFileSync(join(installed, entry.types))
    }
    const files = readdirSync(installed, { recursive: true }).map(String)
    expect(files.filter((file) => /\.test\./.test(file))).toEqual([])
    expect(files).toContain(join('python', 'memshim_tracer.py'))
  })

  it('the command tells its version and its help', () => {
    const bin = join(installed, manifest.bin.memshim)
    expect(node(bin, '--version').trim()).toBe(manifest.version)
    for (const args of [['--help'], ['audit', '--help'], ['where', '--help']])
      expect(node(bin, ...args)).toContain('Usage: memshim')
  })
})
