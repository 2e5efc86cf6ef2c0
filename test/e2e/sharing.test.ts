/**
 * docs/moving/sharing.md, "Sharing with Django in ten lines", followed to the letter: the packed package in an empty project, a real memcached, a real
 * Django. MEMSHIM_NODES may name further Node executables, separated by colons.
 */
import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Memcached, startMemcached } from '../support/memcached.js'
import { environment, PythonShell } from '../support/python-shell.js'

const root = join(import.meta.dirname, '..', '..')
const page = readFileSync(join(root, 'docs', 'moving', 'sharing.md'), 'utf8')
const [, program] = /^```js\n([\s\S]*?)^```$/m.exec(page)!
const [, settings] = /^```python\n([\s\S]*?)^```$/m.exec(page)!
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const nodes = [process.execPath, ...(process.env.MEMSHIM_NODES?.split(':') ?? [])]
const python = environment('framework-Django-5.1.7')
const project = mkdtempSync(join(tmpdir(), 'memshim-sharing-'))
afterAll(() => rmSync(project, { recursive: true, force: true }))

it('has ten lines', () => {
  const lines = program!.split('\n').filter((line) => line !== '' && !line.startsWith('import'))
  expect(lines.length).toBeLessThanOrEqual(10)
})

describe.skipIf(python === undefined)(
  `beside Django${python ? '' : ', which is not installed'}`,
  { timeout: 120_000 },
  () => {
    let memcached: Memcached
    let shell: PythonShell

    beforeAll(async () => {
      const installed = join(project, 'node_modules', 'memshim')
      const packed = join(project, 'packed')
      for (const folder of [packed, installed]) mkdirSync(folder, { recursive: true })
      execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', packed], {
        cwd: root,
        stdio: 'ignore',
      })
      execFileSync('tar', [
        '-xzf',
        join(packed, readdirSync(packed)[0]!),
        '-C',
        installed,
        '--strip-components=1',
      ])
      for (const name of Object.keys(dependencies))
        symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name), 'junction')
      writeFileSync(join(project, 'share.mjs'), program!)
      memcached = await startMemcached()
      shell = new PythonShell(python!)
      await shell.run(`${settings!.replace('127.0.0.1:11211', memcached.address)}
from django.conf import settings
settings.configure(CACHES=CACHES, SESSION_ENGINE=SESSION_ENGINE, SECRET_KEY="secret")
import django
django.setup()
from django.core.cache import cache
from django.contrib.sessions.backends.cache import SessionStore
`)
    }, 120_000)
    afterAll(async () => {
      await shell?.stop()
      await memcached?.stop()
    })

    it.each(nodes)('%s', async (node) => {
      const sessionKey = (await shell.run(`
cache.set("from-django", {"cents": 1250, "tags": ["new"], "name": "Zo\\u00eb"})
cache.delete("from-node")
session = SessionStore()
session["cart"] = [{"id": 7}]
session.save()
result = session.session_key
`)) as string
      const output = execFileSync(node, ['share.mjs', sessionKey], {
        cwd: project,
        encoding: 'utf8',
        env: { ...process.env, MEMCACHED: memcached.address },
      })
      expect(output).toContain("{ cents: 1250, tags: [ 'new' ], name: 'Zoë' }")
      expect(output).toContain('cart')
      const seen = await shell.run('result = [cache.get("from-node"), dict(SessionStore(key).items())]', {
        key: sessionKey,
      })
      expect(seen).toEqual([
        new Map<string, unknown>([
          ['by', 'Node'],
          ['tags', ['new']],
        ]),
        new Map<string, unknown>([
          ['cart', [new Map([['id', 7]])]],
          ['seen', 'by Node'],
        ]),
      ])
    })
  },
)
