/** The cache and the sessions of Django over a client that holds values in memory, and refused arguments. */
import { describe, expect, test } from 'vitest'
import * as frameworks from '../../../src/frameworks/index.js'
import {
  BadSignature,
  DjangoCache,
  type DjangoSessionRow,
  DjangoSessions,
  DjangoSigner,
} from '../../../src/frameworks/index.js'
import { unpickle } from '../../../src/values/index.js'
import { key, memory } from './recorded.js'

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
    const request = { url: 'http://a/', language: null, timeZone: null, django: '6.1' }
    expect(() => frameworks.djangoPageKey({ ...request, url: 'http://é/' }, [])).toThrow('percent-encoded')
    expect(() => frameworks.makeTemplateFragmentKey('a', [1] as never, { django: '6.1' })).toThrow(
      'varyOn[0]',
    )
  })

  // A default that is wrong for the Django beside it would find nothing, without an error.
  test('what decides a key has to be given', () => {
    const request = { url: 'http://a/', language: 'en-us', timeZone: null, django: '6.1' }
    for (const name of ['language', 'timeZone', 'django'])
      expect(() => frameworks.djangoPageKey({ ...request, [name]: undefined } as never, [])).toThrow(
        `${name} is missing`,
      )
    for (const name of ['language', 'timeZone'])
      expect(() => frameworks.djangoPageHeaderKey({ ...request, [name]: undefined } as never)).toThrow(
        `${name} is missing`,
      )
    expect(() => frameworks.djangoPageKey({ ...request, time_zone: 'UTC' } as never, [])).toThrow(
      "it is called 'timeZone' here",
    )
    expect(() => frameworks.makeTemplateFragmentKey('a', [], {} as never)).toThrow('django is missing')
    expect(() => frameworks.djangoCookieSigner('seen', { key } as never)).toThrow('django is missing')
    const called = { module: 'shop', name: 'price' }
    expect(() => frameworks.flaskMemoizeVersionKeys(called, {} as never)).toThrow('flaskCaching is missing')
    const options = { flaskCaching: '2.5', kwargs: { a: '1' } }
    expect(() => frameworks.flaskMemoizeKey(called, [], '', options)).toThrow('python is missing')
    expect(() => frameworks.flaskMemoizeKey(called, [], '', {} as never)).toThrow('flaskCaching is missing')
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
