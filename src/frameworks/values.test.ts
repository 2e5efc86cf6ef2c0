/** Against what the real packages store and sign (fixtures/record/applications/framework_values.py). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  PyDate,
  PyDateTime,
  PyDecimal,
  PyFloat,
  PyTime,
  PyTimeZone,
  PyUuid,
  pickle,
  pylibmcEncoding,
  pymemcacheEncoding,
  pythonMemcachedEncoding,
  unpickle,
  type ValueEncoding,
} from '../values/index.js'
import * as frameworks from './index.js'
import {
  BadSignature,
  type CacheClient,
  DjangoCache,
  type DjangoSessionRow,
  DjangoSessions,
  DjangoSigner,
  DjangoTimestampSigner,
  FlaskSessions,
  SignatureExpired,
} from './index.js'
import { readJson, writeJson } from './json.js'

const path = new URL('../../fixtures/vectors/framework-values.json', import.meta.url)
const vectors = JSON.parse(readFileSync(path, 'utf8'))
const { secret: key, now: NOW } = vectors
const now = () => NOW as number

interface Item {
  readonly key: string
  readonly flags: number
  readonly data: string
}
const encodings = {
  PyLibMCCache: pylibmcEncoding(),
  PyMemcacheCache: pymemcacheEncoding(),
  MemcachedCache: pythonMemcachedEncoding({ pickleProtocol: -1 }),
} as const
const decode = ({ flags, data }: Item, encoding: ValueEncoding = encodings.PyLibMCCache) =>
  encoding.decode(flags, Buffer.from(data, 'base64'))

/** Holds values in memory. */
function memory(
  entries: Record<string, unknown> = {},
): CacheClient & { readonly held: Map<string, unknown> } {
  const held = new Map(Object.entries(entries))
  const store = async (key: string, value: unknown) => held.set(key, value) && true
  return {
    held,
    get: async (key) => held.get(key),
    getMulti: async (keys) => new Map(keys.filter((key) => held.has(key)).map((key) => [key, held.get(key)])),
    set: store,
    add: async (key, value) => !held.has(key) && store(key, value),
    setMulti: async (all) => {
      for (const [key, value] of all) held.set(key, value)
      return []
    },
    delete: async (key) => held.delete(key),
    deleteMulti: async (keys) => keys.map((key) => held.delete(key)),
    touch: async (key) => held.has(key),
    has: async (key) => held.has(key),
    incr: async (key, delta) => store(key, Number(held.get(key)) + delta).then(() => held.get(key)),
    decr: async (key, delta) => store(key, Number(held.get(key)) - delta).then(() => held.get(key)),
  }
}

/** A section that is as in an earlier version has that version's name. */
function section(recorded: Readonly<Record<string, unknown>>, name: string): unknown {
  const found = recorded[name]
  if (typeof found !== 'string') return found
  const versions: readonly Record<string, unknown>[] = vectors.django
  return versions.find(({ version }) => version === found)![name]
}

describe.each<{ version: string }>(vectors.django)('Django $version', ({ version: django, ...recorded }) => {
  const rows = <T>(name: string): readonly T[] => section(recorded, name) as T[]

  test.each(rows<{ prefix: string; version: number; key: string; function?: string; sent: unknown }>('keys'))(
    'key $key, prefix "$prefix", version $version',
    ({ prefix, version, key, sent, ...row }) => {
      const keyFunction = row.function
        ? (key: string, prefix: string, version: unknown) => `${key}.${version}.${prefix}`
        : undefined
      const make = () => frameworks.djangoKey(key, { keyPrefix: prefix, version, keyFunction })
      if (typeof sent === 'string') expect(make()).toBe(sent)
      else expect(make).toThrow(frameworks.InvalidCacheKey)
    },
  )

  test.each(rows<{ varyOn: string[]; key: string }>('fragments'))('fragment $varyOn', ({ varyOn, key }) => {
    expect(frameworks.makeTemplateFragmentKey('side bar', varyOn, { django })).toBe(key)
  })

  const pages = section(recorded, 'pages') as {
    keys: { request: frameworks.DjangoPageRequest; headerKey: string; varyOn: string[]; key: string }[]
    stored: {
      request: frameworks.DjangoPageRequest
      key: string
      item: Item
      headers: string[][]
      cookies: string[]
      body: string
    }
    responses: {
      name: string
      pickle: string
      status: number
      headers: string[][]
      cookies: string[]
      body: string
    }[]
  }
  test.each(pages.keys)('page $key', ({ request, headerKey, varyOn, key }) => {
    expect(frameworks.djangoPageHeaderKey(request)).toBe(headerKey)
    expect(frameworks.djangoPageKey({ ...request, django }, varyOn)).toBe(key)
  })
  test('a stored page', () => {
    const { request, key, item, headers, cookies, body } = pages.stored
    expect(frameworks.djangoPageKey({ ...request, django }, ['HTTP_ACCEPT_ENCODING'])).toBe(key)
    const page = frameworks.readDjangoPage(decode(item))
    expect(page).toEqual({ status: 200, headers, cookies, body: Buffer.from(body, 'base64') })
    expect(frameworks.readDjangoPage({ status: 200 })).toBeUndefined()
  })
  test.each(pages.responses)('$name', ({ pickle: data, status, headers, cookies, body }) => {
    for (const preserve of [false, true]) {
      const page = frameworks.readDjangoPage(unpickle(Buffer.from(data, 'base64'), { preserve }))
      expect(page).toEqual({ status, headers, cookies, body: Buffer.from(body, 'base64') })
    }
  })

  const signing = section(recorded, 'signing') as {
    texts: {
      salt: string | null
      sep: string
      algorithm: string
      value: string
      signed: string
      stamped: string
    }[]
    objects: { json: string; compress: boolean; salt: string; signed: string }[]
  }
  test.each(signing.texts)(
    'signs "$value" with salt $salt, $sep, $algorithm',
    ({ salt, value, signed, stamped, ...others }) => {
      const options = { key, salt: salt ?? undefined, ...others }
      const signer = new DjangoSigner(options)
      expect(signer.sign(value)).toBe(signed)
      expect(signer.unsign(signed)).toBe(value)
      const stamper = new DjangoTimestampSigner({ ...options, now })
      expect(stamper.sign(value)).toBe(stamped)
      expect(stamper.unsign(stamped, { maxAge: 1 })).toBe(value)
      // With another key, an older one counts when reading alone.
      const changed = new DjangoSigner({ ...options, key: 'new', fallbackKeys: [key] })
      expect(changed.unsign(signed)).toBe(value)
      expect(changed.sign(value)).not.toBe(signed)
      expect(() => new DjangoSigner({ ...options, key: 'new' }).unsign(signed)).toThrow(BadSignature)
    },
  )
  test.each(signing.objects)(
    'dumps $json, compress $compress, salt $salt',
    ({ json, compress, salt, signed }) => {
      const value = readJson(json, { preserve: true })
      expect(frameworks.djangoDumps(value, { key, salt, compress, now })).toBe(signed)
      expect(frameworks.djangoLoads(signed, { key, salt, preserve: true, now, maxAge: 1 })).toEqual(value)
      expect(() => frameworks.djangoLoads(signed, { key, salt: 'none' })).toThrow(BadSignature)
    },
  )
  test.each(
    rows<{ name: string; salt: string; value: string; signed: string; legacy: string; readLegacy: unknown }>(
      'signedCookies',
    ),
  )('a signed cookie, salt $salt', ({ name, salt, value, signed, legacy, readLegacy }) => {
    const options = { salt, now, django }
    const signer = frameworks.djangoCookieSigner(name, { ...options, key })
    expect(signer.sign(value)).toBe(signed)
    expect(signer.unsign(signed, { maxAge: 60 })).toBe(value)
    const renewed = frameworks.djangoCookieSigner(name, { ...options, key: 'new', fallbackKeys: [key] })
    expect(renewed.unsign(signed)).toBe(value)
    if (readLegacy === value) expect(signer.unsign(legacy, { maxAge: 60 })).toBe(value)
    else expect(() => signer.unsign(legacy)).toThrow(BadSignature)
    const both = frameworks.djangoCookieSigner(name, { ...options, key, legacySaltFallback: true })
    expect(both.unsign(legacy)).toBe(value)
    expect(both.unsign(signed)).toBe(value)
    const later = { ...options, key, legacySaltFallback: true, now: () => NOW + 100 }
    for (const text of [signed, legacy])
      expect(() => frameworks.djangoCookieSigner(name, later).unsign(text, { maxAge: 60 })).toThrow(
        SignatureExpired,
      )
  })

  test.each(rows<{ serializer: 'json' | 'pickle'; data: string; cookie: string }>('cookies'))(
    'session cookie, $serializer: $data',
    ({ serializer, data, cookie }) => {
      const value = readJson(data, { preserve: true }) as Record<string, unknown>
      expect(frameworks.readSessionCookie(cookie, { key, serializer, now })).toEqual(readJson(data))
      const written = frameworks.writeSessionCookie(value, { key, serializer, now })
      if (serializer === 'json') expect(written).toBe(cookie)
      expect(frameworks.readSessionCookie(written, { key, serializer, now })).toEqual(readJson(data))
      const late = { key, serializer, now: () => NOW + 1_209_602 }
      expect(() => frameworks.readSessionCookie(cookie, late)).toThrow(SignatureExpired)
      const short = { key, serializer, now: () => NOW + 10, cookieAge: 9 }
      expect(() => frameworks.readSessionCookie(cookie, short)).toThrow(SignatureExpired)
      expect(() => frameworks.readSessionCookie(`${cookie}x`, { key, serializer })).toThrow(BadSignature)
    },
  )

  test.each(rows<{ expiry: unknown; age: number | object }>('ages'))('expires $expiry', ({ expiry, age }) => {
    const sessions = new DjangoSessions(new DjangoCache(memory()))
    // Django 3.2 keeps a datetime there, and cannot count with text.
    if (typeof age === 'number') expect(sessions.age({ _session_expiry: expiry }, NOW)).toBe(age)
  })

  test.each(
    rows<{ backend: keyof typeof encodings; engine: 'cache' | 'cached_db'; sessionKey: string; item: Item }>(
      'sessions',
    ),
  )('session in $backend, engine $engine', async ({ backend, engine, sessionKey, item }) => {
    const encoding = encodings[backend]
    const client = memory({ [item.key]: decode(item, encoding) })
    const settings = { keyPrefix: item.key.split(':')[0], version: 3 }
    const cache = new DjangoCache(client, settings)
    const sessions = new DjangoSessions(cache, { engine })
    const session = (await sessions.load(sessionKey))!
    expect(session._auth_user_id).toBe('42')
    const cart = [
      { id: 7, price: 12.5 },
      { id: 2n ** 60n, price: -0.25 },
    ]
    expect(session).toMatchObject({ cart, name: 'Zoë 😀', nothing: null, flags: [true, false] })
    if (engine === 'cache') {
      expect(session.when).toEqual(new PyDateTime(2023, 1, 2, 3, 4, 5, 6, PyTimeZone.utc))
      expect(String(session.price)).toBe('1.10')
    }
    // Written again it has the same bytes.
    const preserving = { PyLibMCCache: pylibmcEncoding, PyMemcacheCache: pymemcacheEncoding }
    if (backend in preserving) {
      const exact = preserving[backend as keyof typeof preserving]({ preserve: true })
      const again = exact.encode(exact.decode(item.flags, Buffer.from(item.data, 'base64')))
      expect([again.flags, Buffer.from(again.data).toString('base64')]).toEqual([item.flags, item.data])
    }
    if (engine === 'cached_db') {
      await expect(sessions.save(sessionKey, session)).rejects.toThrow(TypeError)
      return
    }
    await sessions.save(sessionKey, { ...session, seen: true })
    expect(await sessions.load(sessionKey)).toMatchObject({ seen: true })
    await sessions.delete(sessionKey)
    expect(client.held.size).toBe(0)
    expect(await sessions.load(sessionKey)).toBeUndefined()
    await expect(sessions.save(sessionKey, session)).rejects.toThrow(frameworks.SessionUpdateError)
  })

  test.each(rows<{ data: string; encoded: string }>('sessionData'))(
    'row of the table: $data',
    ({ data, encoded }) => {
      const table = {
        read: async () => undefined,
        write: async () => undefined,
        delete: async () => undefined,
      }
      const settings = { engine: 'cached_db', table, signing: { key } } as const
      const sessions = new DjangoSessions(new DjangoCache(memory()), settings)
      const value = readJson(data) as Record<string, unknown>
      expect(sessions.decode(encoded)).toEqual(value)
      expect(sessions.decode(sessions.encode(value))).toEqual(value)
    },
  )

  test.each(rows<{ password: string; hash: string }>('authHash'))(
    'hash of "$password"',
    ({ password, hash }) => {
      expect(frameworks.djangoSessionAuthHash(password, key)).toBe(hash)
    },
  )
})

describe('Django', () => {
  test('wrong arguments are refused with a message that names them', () => {
    expect(() => new DjangoSigner({ key: '' })).toThrow('empty')
    expect(() => new DjangoSigner({ key, sep: 'a' })).toThrow('sep "a"')
    expect(() => new DjangoSigner({ key, algorithm: 'sha257' })).toThrow('algorithm "sha257"')
    expect(() => frameworks.djangoDumps(new Date(), { key })).toThrow('type Date is not JSON serializable')
    expect(() => frameworks.djangoDumps({ a: undefined }, { key })).toThrow(TypeError)
    expect(() => frameworks.djangoLoads('a:b', { key })).toThrow(BadSignature)
    expect(() => frameworks.djangoLoads('nothing', { key })).toThrow('No ":" found')
    expect(() => new DjangoCache({} as never)).toThrow('client has no method get')
    expect(() => new DjangoSessions(new DjangoCache(memory()), { engine: 'db' as never })).toThrow(
      'cached_db',
    )
    expect(() => frameworks.djangoPageKey({ url: 'http://é/' }, [])).toThrow('percent-encoded')
    expect(() => frameworks.makeTemplateFragmentKey('a', [1] as never)).toThrow('varyOn[0]')
  })

  // Pickled by Django 1.11.29 on Python 2.7 and by Django 2.2.28 on Python 3.8.
  test.each([
    [
      'Django 1.11',
      'gAJjZGphbmdvLmh0dHAucmVzcG9uc2UKSHR0cFJlc3BvbnNlCnEAKYFxAX1xAihVDl9oYW5kbGVyX2NsYXNzcQNOVQhfaGVhZGVyc3EEfXEFKFUMY29udGVudC10eXBlcQZVDENvbnRlbnQtVHlwZXEHVRh0ZXh0L2h0bWw7IGNoYXJzZXQ9dXRmLThxCIZxCVUDeC1hcQpVA1gtQXELVQFicQyGcQ11VQhfY2hhcnNldHEOTlURX2Nsb3NhYmxlX29iamVjdHNxD11xEFUHY29va2llc3ERY2RqYW5nby5odHRwLmNvb2tpZQpTaW1wbGVDb29raWUKcRIpgXETfXEUYlUGY2xvc2VkcRWJVQpfY29udGFpbmVycRZdcRdVBWNhZsOpcRhhVQ5fcmVhc29uX3BocmFzZXEZTnViLg==',
      'gAJjZGphbmdvLnV0aWxzLnNhZmVzdHJpbmcKU2FmZVRleHQKcQBYBQAAADxiPsOpcQGFcQKBcQN9cQRiLg==',
    ],
    [
      'Django 2.2',
      'gAJjZGphbmdvLmh0dHAucmVzcG9uc2UKSHR0cFJlc3BvbnNlCnEAKYFxAX1xAihYCAAAAF9oZWFkZXJzcQN9cQQoWAwAAABjb250ZW50LXR5cGVxBVgMAAAAQ29udGVudC1UeXBlcQZYGAAAAHRleHQvaHRtbDsgY2hhcnNldD11dGYtOHEHhnEIWAMAAAB4LWFxCVgDAAAAWC1BcQpYAQAAAGJxC4ZxDHVYEQAAAF9jbG9zYWJsZV9vYmplY3RzcQ1dcQ5YDgAAAF9oYW5kbGVyX2NsYXNzcQ9OWAcAAABjb29raWVzcRBjQ29va2llClNpbXBsZUNvb2tpZQpxESmBcRJYBgAAAGNsb3NlZHETiVgOAAAAX3JlYXNvbl9waHJhc2VxFE5YCAAAAF9jaGFyc2V0cRVOWAoAAABfY29udGFpbmVycRZdcRdjX2NvZGVjcwplbmNvZGUKcRhYBwAAAGNhZsODwqlxGVgGAAAAbGF0aW4xcRqGcRtScRxhdWIu',
      'gAJjZGphbmdvLnV0aWxzLnNhZmVzdHJpbmcKU2FmZVRleHQKcQBYBQAAADxiPsOpcQGFcQKBcQMu',
    ],
  ])('a page and a fragment of %s', (_, stored, fragment) => {
    const page = frameworks.readDjangoPage(unpickle(Buffer.from(stored, 'base64'), { encoding: 'latin1' }))
    expect(page).toMatchObject({ status: 200, cookies: [] })
    expect(page!.headers).toContainEqual(['X-A', 'b'])
    expect(page!.body.toString()).toBe('café')
    expect(frameworks.djangoText(unpickle(Buffer.from(fragment, 'base64')))).toBe('<b>é')
  })

  test('a signed text inflates to a limit', () => {
    const signed = frameworks.djangoDumps('x'.repeat(2_000_000), { key, compress: true })
    expect(signed.length).toBeLessThan(5000)
    expect(() => frameworks.djangoLoads(signed, { key, maxMemory: 1000 })).toThrow(
      'inflates to more than 1000',
    )
    expect(frameworks.djangoLoads(signed, { key })).toHaveLength(2_000_000)
  })

  test('times, versions and many keys', async () => {
    const client = memory()
    const sent: unknown[] = []
    const set = client.set
    client.set = (key, value, options) => {
      sent.push([key, options.time])
      return set(key, value, options)
    }
    const cache = new DjangoCache(client, { keyPrefix: 'p', timeout: 60 })
    await cache.set('a', 1)
    await cache.set('b', 2, { timeout: null, version: 2 })
    await cache.set('c', 3, { timeout: 0 })
    // What expires at once has a time long past: negative ones are documented to be zero in pylibmc.
    expect(sent).toEqual([
      ['p:1:a', 60],
      ['p:2:b', 0],
      ['p:1:c', 2_592_001],
    ])
    expect(await cache.getMany(['a', 'b', 'x'])).toEqual(new Map([['a', 1]]))
    expect(await cache.incr('a', 4)).toBe(5)
    expect(await cache.decr('a', 2)).toBe(3)
    expect(await cache.incrVersion('a')).toBe(2)
    expect(await cache.get('a')).toBeUndefined()
    expect(await cache.get('a', { version: 2 })).toBe(3)
    expect(await cache.decrVersion('a', 1, { version: 2 })).toBe(1)
    expect(await cache.has('a')).toBe(true)
    expect(await cache.getOrSet('d', () => 7)).toBe(7)
    expect(await cache.setMany({ e: 1, f: 2 }, { version: 9 })).toEqual([])
    await cache.deleteMany(['e'], { version: 9 })
    expect([...client.held.keys()].sort()).toEqual(['p:1:a', 'p:1:c', 'p:1:d', 'p:2:b', 'p:9:f'])
    // A stored None is a value to the strict client, which has null for it and undefined for a miss.
    await cache.set('none', null)
    expect(await cache.has('none')).toBe(true)
    expect(await cache.getOrSet('none', () => 7)).toBeNull()
    expect(await cache.incrVersion('none')).toBe(2)
    expect(await cache.has('none')).toBe(false)
    await expect(cache.incrVersion('gone')).rejects.toThrow("Key 'p:1:gone' not found")
    await expect(cache.get('a b')).rejects.toThrow(frameworks.InvalidCacheKey)
  })

  test('sessions of the engine cached_db: the table counts', async () => {
    const client = memory()
    const held = new Map<string, DjangoSessionRow>()
    const table = {
      read: async (key: string) => held.get(key),
      write: async (key: string, sessionData: string, expireDate: Date) =>
        void held.set(key, { sessionData, expireDate }),
      delete: async (key: string) => void held.delete(key),
    }
    const times: number[] = []
    const set = client.set
    client.set = (key, value, options) => {
      times.push(options.time)
      return set(key, value, options)
    }
    const sessions = new DjangoSessions(new DjangoCache(client), {
      engine: 'cached_db',
      table,
      signing: { key },
    })
    const sessionKey = await sessions.create({ a: 1 })
    expect(sessionKey).toMatch(/^[a-z0-9]{32}$/)
    expect(held.size).toBe(1)
    client.held.clear()
    expect(await sessions.load(sessionKey)).toEqual({ a: 1 })
    expect(client.held.size).toBe(1)
    await sessions.save(sessionKey, { a: 2 })
    const row = held.get(sessionKey)!
    expect(sessions.decode(row.sessionData)).toEqual({ a: 2 })
    // A copy of the row lives as long as the row.
    client.held.clear()
    held.set(sessionKey, { ...row, expireDate: new Date(Date.now() + 3_600_000) })
    await sessions.load(sessionKey)
    expect(times.at(-1)).toBeGreaterThan(3000)
    expect(times.at(-1)).toBeLessThanOrEqual(3600)
    client.held.clear()
    for (const wrong of [row.sessionData, { ...row, expireDate: '2030-01-01' }, { ...row, sessionData: 5 }]) {
      held.set(sessionKey, wrong as never)
      await expect(sessions.load(sessionKey)).rejects.toThrow(TypeError)
    }
    await sessions.delete(sessionKey)
    expect([held.size, client.held.size]).toEqual([0, 0])
  })
})

/** What a job of the recorder has recorded, for each set of packages. */
const jobs = <T>(name: string): { packages: Record<string, string>; python: string; recorded: T }[] =>
  vectors[name]

describe.each(
  jobs<{
    items: { id: string; name: string; state: string; serializer: 'json' | 'pickle'; item: Item }[]
    keys: { prefix: string | null; kind: 'task'; id: string; key: string }[]
  }>('celery'),
)('Celery $packages.celery', ({ recorded }) => {
  const utc = PyTimeZone.utc
  const rich = {
    when: new PyDateTime(2023, 11, 14, 22, 13, 20, 5, utc),
    naive: new PyDateTime(2020, 1, 2),
    on: new PyDate(2020, 1, 2),
    at: new PyTime(1, 2, 3, 4),
    price: new PyDecimal('1.10'),
    id: PyUuid.fromInt(5n),
    text: Buffer.from('text'),
    bytes: Buffer.from([255, 0]),
  }
  const plain = { a: [1, 2.5, null, true, 'café'], n: 2n ** 60n }
  const results: Record<string, unknown> = { plain, rich, started: { pid: 1 } }
  const client = pythonMemcachedEncoding()

  test.each(recorded.items)('$id', ({ name, id, state, serializer, item }) => {
    const stored = decode(item, client)
    const meta = frameworks.readCeleryMeta(stored)!
    expect(meta).toMatchObject({ status: state, task_id: id })
    if (name === 'failed') {
      expect(frameworks.celeryError(meta)).toEqual({
        type: 'ValueError',
        module: 'builtins',
        args: ['no', 5],
      })
      expect(meta.traceback).toBe('Traceback')
    } else {
      expect(frameworks.celeryError(meta)).toBeUndefined()
      expect(meta.result).toEqual(results[name])
    }
    // Written again it has the same bytes, where floats keep their type.
    const again = frameworks.writeCeleryMeta(frameworks.readCeleryMeta(stored, { preserve: true })!, {
      serializer,
    })
    // Celery 5.7 stores text without a flag, which is read as bytes.
    const bytes = (written: unknown) => Buffer.from(written as string)
    if (serializer === 'json' || name === 'plain') expect(bytes(again)).toEqual(bytes(stored))
    expect(frameworks.readCeleryMeta(again)).toEqual(meta)
  })
  test.each(recorded.keys)('$key', ({ prefix, kind, id, key }) => {
    expect(frameworks.celeryKey(id, { kind, globalKeyPrefix: prefix ?? undefined })).toBe(key)
  })
  test('what is not a result', () => {
    expect(frameworks.readCeleryMeta(undefined)).toBeUndefined()
    expect(frameworks.readCeleryMeta(null)).toBeUndefined()
    expect(() => frameworks.readCeleryMeta('[]')).toThrow('not a result of Celery')
    expect(() => frameworks.readCeleryMeta('{')).toThrow('Expecting')
    expect(() => frameworks.readCeleryMeta(5)).toThrow('where Celery stores text or bytes')
    expect(() => frameworks.readCeleryMeta('{"status": {"__type__": "odd", "__value__": 1}}')).toThrow(
      'Unsupported type',
    )
    expect(() => frameworks.celeryKey('')).toThrow('must not be empty')
    expect(() => frameworks.celeryKey('a', { kind: 'x' as never })).toThrow('kind')
  })
})

describe.each(
  jobs<
    {
      format: 'msgpack' | 'json'
      data: Record<string, unknown>
      sid: string
      signed: string
      item: Item
    }[]
  >('flask_session'),
)('Flask-Session $packages.Flask-Session, Python $python', ({ recorded }) => {
  test.each(recorded)('$sid', async ({ format, data, sid, signed, item }) => {
    expect(frameworks.signFlaskSid(sid, key)).toBe(signed)
    expect(frameworks.unsignFlaskSid(signed, key)).toBe(sid)
    expect(() => frameworks.unsignFlaskSid(`${signed}x`, key)).toThrow(BadSignature)
    expect(() => frameworks.unsignFlaskSid('no dot', key)).toThrow(BadSignature)
    const msgpack = { encode: () => Buffer.from(item.data, 'base64'), decode: () => data }
    const client = memory({ [item.key]: decode(item) })
    const sessions = new FlaskSessions(client, { format, msgpack })
    expect(await sessions.load(sid)).toEqual(data)
    await sessions.save(sid, data)
    if (format === 'json') expect(JSON.parse(String(client.held.get(item.key)))).toEqual(data)
    await sessions.delete(sid)
    expect(await sessions.load(sid)).toBeUndefined()
  })
  test('old sessions, and what is none', () => {
    expect(frameworks.readFlaskSession(pickle({ a: 1 }, { protocol: 4 }))).toEqual({ a: 1 })
    expect(frameworks.readFlaskSession({ a: 1 })).toEqual({ a: 1 })
    expect(() => frameworks.readFlaskSession(Buffer.from([0x81]))).toThrow('give the setting msgpack')
    expect(() => frameworks.readFlaskSession(5)).toThrow('not a session of Flask')
    expect(() => new FlaskSessions(memory())).toThrow('needs the setting msgpack')
  })
})

describe.each(
  jobs<{
    memoize: {
      called: frameworks.MemoizedFunction
      args: string[]
      kwargs: Record<string, string>
      key: string
      versionKeys: string[]
      versions: string[]
    }[]
    fragments: { varyOn: string[]; key: string }[]
  }>('flask_caching'),
)('Flask-Caching $packages.Flask-Caching, Python $python', ({ packages, python, recorded }) => {
  const flaskCaching = packages['Flask-Caching']
  test.each(recorded.memoize)('$called.name($args, $kwargs)', ({ called, args, kwargs, key, ...row }) => {
    expect(frameworks.flaskMemoizeVersionKeys(called, { flaskCaching })).toEqual(row.versionKeys)
    const options = { flaskCaching, python, kwargs }
    expect(frameworks.flaskMemoizeKey(called, args, row.versions.join(''), options)).toBe(key)
    expect(frameworks.flaskMemoizeVersion()).toMatch(/^[\w+/]{6}$/)
  })
  test.each(recorded.fragments)('$key', ({ varyOn, key }) => {
    expect(frameworks.flaskTemplateFragmentKey('side', varyOn)).toBe(key)
  })
})

describe('envelopes', () => {
  const values: Record<string, unknown> = { dict: { a: [1, 2.5] }, none: null, text: 'café' }
  const [dogpile] = jobs<{
    items: { backend: string; name: string; item: Item }[]
    shortened: { key: string; length: number; sent: string }[]
  }>('dogpile').slice(-1)
  const regions = jobs<{ items: { backend: string; name: string; item: Item }[] }>('dogpile').flatMap(
    ({ packages, recorded }) => recorded.items.map((row) => ({ ...row, version: packages['dogpile.cache'] })),
  )
  test.each(regions)('dogpile.cache $version, $backend, $name', ({ backend, name, item }) => {
    const stored = decode(item)
    expect(frameworks.readDogpile(stored)).toEqual({ payload: values[name], created: NOW })
    const written = frameworks.writeDogpile(values[name], NOW)
    if (backend.endsWith('pymemcache'))
      expect(Buffer.from(pickle(written, { protocol: 5 })).toString('base64')).toBe(item.data)
    expect(frameworks.readDogpile(unpickle(pickle(written, { protocol: 0 })))?.payload).toEqual(values[name])
  })
  test.each(dogpile!.recorded.shortened)('$key', ({ key, length, sent }) => {
    expect(frameworks.dogpileShortened(key, length)).toBe(sent)
  })
  test('what is not an envelope of dogpile', () => {
    expect(frameworks.readDogpile({ payload: 1 })).toBeUndefined()
    expect(frameworks.readDogpile(undefined)).toBeUndefined()
  })
  const caches = jobs<{ namespace: string; key: string; name: string; expires: number | null; item: Item }[]>(
    'beaker',
  ).flatMap(({ packages, recorded }) => recorded.map((row) => ({ ...row, version: packages.Beaker })))
  test.each(caches)('Beaker $version, $name', ({ namespace, key, name, expires, item }) => {
    expect(frameworks.beakerKey(namespace, key)).toBe(item.key)
    const envelope = { value: values[name], stored: NOW, expires }
    expect(frameworks.readBeaker(decode(item))).toEqual(envelope)
    const written = pickle(frameworks.writeBeaker(values[name], expires, NOW), { protocol: 0 })
    expect(Buffer.from(written).toString('base64')).toBe(item.data)
    expect(frameworks.readBeaker('text')).toBeUndefined()
    expect(frameworks.readBeaker([NOW, 'old'])).toEqual({ value: 'old', stored: NOW, expires: null })
  })
})

describe('JSON as Python writes it', () => {
  test.each([
    [
      '{"a": 1, "b": [1.5, null, true]}',
      new Map<string, unknown>([
        ['a', 1],
        ['b', [1.5, null, true]],
      ]),
    ],
    ['"\\u00e9\\ud83d\\ude00\\u007f\\n\\"\\\\/"', 'é😀\x7f\n"\\/'],
    [
      '[1.0, 1e+16, 1e-07, NaN, -Infinity, -0.0]',
      [new PyFloat(1), new PyFloat(1e16), 1e-7, Number.NaN, -Infinity, -0],
    ],
    [
      '{"1": 2, "null": 3, "true": 4, "1.5": 5}',
      new Map<unknown, unknown>([
        [1, 2],
        [null, 3],
        [true, 4],
        [1.5, 5],
      ]),
    ],
    ['123456789012345678901234567890', 123456789012345678901234567890n],
  ])('%s', (text, value) => {
    expect(writeJson(value)).toBe(text)
    expect(writeJson(readJson(text, { preserve: true }))).toBe(text)
  })
  test.each([
    '',
    '{',
    '[1,]',
    '{"a" 1}',
    '{a: 1}',
    '"\n"',
    '"\\x"',
    '01',
    '1 2',
    'nul',
    '"a',
    '-',
    '[1 2]',
    '{"a": 1,}',
  ])('refuses %j', (text) => {
    expect(() => readJson(text)).toThrow(/char \d+/)
  })
  test('nesting is limited, prototypes stay, values in themselves are refused', () => {
    expect(() => readJson('['.repeat(100_000))).toThrow('nested deeper')
    const value = readJson('{"__proto__": {"a": 1}}') as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(writeJson(value)).toBe('{"__proto__": {"a": 1}}')
    const circle: unknown[] = []
    circle.push(circle)
    expect(() => writeJson(circle)).toThrow('Circular')
    expect(readJson(`"${'\\\\'.repeat(3)}"`)).toBe('\\\\\\')
    expect(readJson(`"${'x'.repeat(3_000_000)}"`)).toHaveLength(3_000_000)
  })
})
