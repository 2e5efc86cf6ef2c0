// A misspelled option must not be ignored: `max_age`, which Python uses, would let expired signatures pass.
import { expect, test } from 'vitest'
import { Client } from '../strict/index.js'
import {
  celeryKey,
  DjangoCache,
  DjangoSessions,
  DjangoSigner,
  DjangoTimestampSigner,
  djangoCookieSigner,
  djangoDumps,
  djangoKey,
  djangoLoads,
  FlaskSessions,
  flaskMemoizeKey,
  flaskMemoizeVersionKeys,
  makeTemplateFragmentKey,
  readDogpile,
  readSessionCookie,
  writeCeleryMeta,
  writeSessionCookie,
} from './index.js'

const key = 'secret'
const client = new Client(['127.0.0.1:1'])
const cache = new DjangoCache(client)
const called = { module: 'shop', name: 'price' }

test.each<[name: string, call: (options: never) => unknown, options: object, message: RegExp]>([
  ['djangoLoads', (o) => djangoLoads('x', o), { key, max_age: 5 }, /'max_age'; it is called 'maxAge' here/],
  ['djangoDumps', (o) => djangoDumps(1, o), { key, fallback_keys: [] }, /it is called 'fallbackKeys' here/],
  ['DjangoSigner', (o) => new DjangoSigner(o), { key, now: Date.now }, /unexpected option 'now'/],
  [
    'a signer’s unsignObject',
    (o) => new DjangoSigner({ key }).unsignObject('x', o),
    { maxAge: 5 },
    /'maxAge'/,
  ],
  [
    'a signer’s signObject',
    (o) => new DjangoSigner({ key }).signObject(1, o),
    { compres: true },
    /'compres'/,
  ],
  [
    'a timestamp signer’s unsign',
    (o) => new DjangoTimestampSigner({ key }).unsign('x', o),
    { max_age: 5 },
    /it is called 'maxAge' here/,
  ],
  ['djangoCookieSigner', (o) => djangoCookieSigner('seen', o), { key, salted: 'x' }, /'salted'/],
  ['readSessionCookie', (o) => readSessionCookie('x', o), { key, cookie_age: 5 }, /called 'cookieAge' here/],
  ['writeSessionCookie', (o) => writeSessionCookie({}, o), { key, preserve: true }, /'preserve'/],
  ['djangoKey', (o) => djangoKey('k', o), { key_prefix: 'shop' }, /it is called 'keyPrefix' here/],
  [
    'makeTemplateFragmentKey',
    (o) => makeTemplateFragmentKey('n', [], o),
    { Django: '6.1' },
    /called 'django' here/,
  ],
  ['DjangoCache', (o) => new DjangoCache(client, o), { prefix: 'shop' }, /it is called 'keyPrefix' here/],
  ['DjangoSessions', (o) => new DjangoSessions(cache, o), { cookie_age: 5 }, /it is called 'cookieAge' here/],
  [
    'FlaskSessions',
    (o) => new FlaskSessions(client, o),
    { format: 'json', prefix: 'x' },
    /called 'keyPrefix' here/,
  ],
  [
    'flaskMemoizeKey',
    (o) => flaskMemoizeKey(called, [], 'v', o),
    { flask_caching: '2.5' },
    /'flaskCaching' here/,
  ],
  ['flaskMemoizeVersionKeys', (o) => flaskMemoizeVersionKeys(called, o), { python: '3.12' }, /'python'/],
  ['readDogpile', (o) => readDogpile(1, o), { deserializer: JSON.parse }, /'deserializer'/],
  ['celeryKey', (o) => celeryKey('1', o), { global_key_prefix: 'x' }, /it is called 'globalKeyPrefix' here/],
  [
    'writeCeleryMeta',
    (o) => writeCeleryMeta({ status: 'SUCCESS', result: 1 }, o),
    { result: 'json' },
    /'result'/,
  ],
])('%s refuses an unknown option', (_name, call, options, message) => {
  expect(() => call(options as never)).toThrow(TypeError)
  expect(() => call(options as never)).toThrow(message)
})

test.each<[name: string, call: () => Promise<unknown>]>([
  ['get', () => cache.get('k', { timeout: 5 } as never)],
  ['set', () => cache.set('k', 1, { time: 5 } as never)],
  ['add', () => cache.add('k', 1, { ttl: 5 } as never)],
  ['getOrSet', () => cache.getOrSet('k', () => 1, { time: 5 } as never)],
  ['touch', () => cache.touch('k', { time: 5 } as never)],
  ['setMany', () => cache.setMany({ k: 1 }, { time: 5 } as never)],
  ['incrVersion', () => cache.incrVersion('k', 1, { ver: 5 } as never)],
])('DjangoCache.%s refuses an unknown option before anything is sent', async (_name, call) => {
  await expect(call()).rejects.toThrow(/unexpected option/)
})
