/** Keys, pages, signatures and sessions of Django, against what its versions store and sign. */
import { describe, expect, test } from 'vitest'
import * as frameworks from '../../../src/frameworks/index.js'
import {
  BadSignature,
  DjangoCache,
  DjangoSessions,
  DjangoSigner,
  DjangoTimestampSigner,
  SignatureExpired,
} from '../../../src/frameworks/index.js'
import { readJson } from '../../../src/frameworks/json.js'
import {
  PyDateTime,
  PyTimeZone,
  pylibmcEncoding,
  pymemcacheEncoding,
  unpickle,
} from '../../../src/values/index.js'
import { decode, encodings, type Item, key, memory, NOW, now, section, vectors } from './recorded.js'

/** A recorded request lacks what Django's settings switch off. */
type RecordedRequest = Omit<Partial<frameworks.DjangoPageRequest>, 'django'> & { readonly url: string }
const whole = (request: RecordedRequest, django: string): frameworks.DjangoPageRequest => ({
  language: null,
  timeZone: null,
  ...request,
  django,
})

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
    keys: { request: RecordedRequest; headerKey: string; varyOn: string[]; key: string }[]
    stored: {
      request: RecordedRequest
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
    expect(frameworks.djangoPageHeaderKey(whole(request, django))).toBe(headerKey)
    expect(frameworks.djangoPageKey(whole(request, django), varyOn)).toBe(key)
    // The Headers of fetch() hold no names in capitals and no empty names, and give the same key.
    const headers = new Headers((request.headers ?? {}) as Record<string, string>)
    expect(frameworks.djangoPageKey({ ...whole(request, django), headers }, varyOn)).toBe(key)
    const lists = Object.fromEntries([...headers].map(([name, value]) => [name, value.split(',')]))
    expect(frameworks.djangoPageKey({ ...whole(request, django), headers: lists }, varyOn)).toBe(key)
  })
  test('a stored page', () => {
    const { request, key, item, headers, cookies, body } = pages.stored
    expect(frameworks.djangoPageKey(whole(request, django), ['HTTP_ACCEPT_ENCODING'])).toBe(key)
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
