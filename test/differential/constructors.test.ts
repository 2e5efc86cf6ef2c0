/**
 * Constructors refuse what the real libraries' constructors refuse, with the same exception, and take what those take.
 * Source: fixtures/vectors/constructors.json, recorded from the real libraries.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Client as CompatClient, type PresetName } from '../../src/compat/index.js'
import { pythonClass } from '../../src/python/errors.js'
import { Client as StrictClient } from '../../src/strict/index.js'
import type { TypedJson } from '../../src/values/index.js'
import { fixtures } from './support/recordings.js'

interface Case {
  readonly servers: TypedJson
  readonly kwargs?: Readonly<Record<string, TypedJson>>
  readonly raises?: { readonly class: string; readonly message: string }
}

const recorded = JSON.parse(readFileSync(join(fixtures, 'vectors', 'constructors.json'), 'utf8')) as Record<
  string,
  Case[]
>

/** What JavaScript has in place of Python's types: an array is list and tuple, a number int and float. */
function plain(value: TypedJson): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plain)
  const [[tag, content] = ['', null]] = Object.entries(value)
  if (tag === '$tuple') return (content as TypedJson[]).map(plain)
  if (tag === '$float') return Number(content)
  if (tag === '$int') return BigInt(content as string)
  if (tag === '$bytes') return Buffer.from(content as string, 'latin1')
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner as TypedJson)]))
}

const options: Readonly<Record<string, string>> = {
  pickleProtocol: 'pickleProtocol',
  server_max_key_length: 'serverMaxKeyLength',
  server_max_value_length: 'serverMaxValueLength',
  dead_retry: 'deadRetry',
  socket_timeout: 'socketTimeout',
  cache_cas: 'cacheCas',
  flush_on_reconnect: 'flushOnReconnect',
  check_keys: 'checkKeys',
}

/** Where we do otherwise on purpose, by library, then servers or keywords as recorded. */
const deviations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  pylibmc: {
    '{"h:1":1}': 'an object is not iterable in JavaScript; its keys are',
    '{"binary":true,"username":"u","password":"p"}':
      'pylibmc sends a password unencrypted to any server: here that needs plaintextPassword (SECURITY.md)',
    '[{"$tuple":["h",1,2]}]': 'pylibmc shows its own mistake (SystemError): here TypeError',
    '{"behaviors":{"cas":{"$float":"1.0"}}}': '1.0 is an integer in JavaScript',
    '{"behaviors":{"namespace":5}}': 'pylibmc reads the number as a pointer to text: here TypeError',
  },
  'python-memcached': {
    '{"h:1":1}': 'an object is not iterable in JavaScript; its keys are',
    '[["h:1",3]]': 'JavaScript has no tuples: an array is one, and a pair is a server with weight',
    '{"pickleProtocol":"2"}': 'the library takes it and every pickle fails: here the constructor does',
  },
}

function attempt(library: string, { servers, kwargs = {} }: Case): unknown {
  const list = plain(servers) as never
  const given = Object.entries(kwargs).map(([name, value]) => [options[name] ?? name, plain(value)])
  try {
    if (library.startsWith('pylibmc')) new StrictClient(list, Object.fromEntries(given))
    else new CompatClient(list, { ...Object.fromEntries(given), emulate: library as PresetName })
    return 'accepted'
  } catch (error) {
    return pythonClass(error)
  }
}

for (const [library, cases] of Object.entries(recorded)) {
  const known = deviations[library.replace(/-[\d.]+$/, '')]!
  describe(library, () => {
    it.each(
      cases.map((one) => {
        const asked = JSON.stringify(one.kwargs ?? one.servers)
        return [asked.slice(0, 120), one, known[asked]] as const
      }),
    )('%s', (_title, one, deviation) => {
      const here = attempt(library, one)
      const there = one.raises?.class ?? 'accepted'
      if (deviation === undefined) expect(here).toBe(there)
      else expect(here, `no longer otherwise: ${deviation}`).not.toBe(there)
    })
  })
}
