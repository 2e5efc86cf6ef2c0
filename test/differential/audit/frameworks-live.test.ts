/**
 * Real Django beside DjangoCache and DjangoSessions on one memcached: what one side writes the other reads equal. The values are those of
 * fixtures/record/values/applications.py: models, query sets, safe and lazy strings, sessions, zones, the standard library's and users' classes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Client as CompatClient } from '../../../src/compat/index.js'
import {
  type CacheClient,
  DjangoCache,
  DjangoSessions,
  djangoCookieSigner,
  djangoLoads,
  djangoPageHeaderKey,
  djangoPageKey,
  djangoSessionAuthHash,
  djangoText,
  makeTemplateFragmentKey,
  readDjangoPage,
  readSessionCookie,
  writeSessionCookie,
} from '../../../src/frameworks/index.js'
import { Client } from '../../../src/strict/index.js'
import {
  PyDateTime,
  PyDecimal,
  PyFloat,
  PyFrozenSet,
  PyTimeDelta,
  PyTimeZone,
  PyTuple,
  PyUuid,
  pymemcacheEncoding,
} from '../../../src/values/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'
import { environment, PythonShell } from '../../support/python-shell.js'

const SECRET = 'not a secret'

/** A dict as the shell answers it. */
const dict = (entries: object) => new Map(Object.entries(entries))

type Connected = CacheClient & { disconnectAll(): void }
/** The client that stands for each of Django's backends. */
const backends: Readonly<Record<string, (servers: string[], preserve: boolean) => Connected>> = {
  PyLibMCCache: (servers, preserve) => new Client(servers, { preserve }),
  PyMemcacheCache: (servers, preserve) => new Client(servers, { encoding: pymemcacheEncoding({ preserve }) }),
  MemcachedCache: (servers, preserve) =>
    new CompatClient(servers, { emulate: 'python-memcached-1.59', pickleProtocol: -1, preserve }),
}

/** pymemcache places keys by its own rule, which only its own client here has. */
const serverCount = (backend: string) => (backend === 'PyMemcacheCache' ? 1 : 2)

const combinations = [
  ['framework-Django-3.2.25', 'PyLibMCCache'],
  ['framework-Django-3.2.25', 'PyMemcacheCache'],
  ['framework-Django-3.2.25', 'MemcachedCache'],
  ['framework-Django-4.2.20', 'PyLibMCCache'],
  ['framework-Django-4.2.20', 'PyMemcacheCache'],
  ['framework-Django-5.1.7', 'PyLibMCCache'],
  ['framework-Django-5.1.7', 'PyMemcacheCache'],
  ['framework-Django-5.2', 'PyLibMCCache'],
  ['framework-Django-5.2.19', 'PyLibMCCache'],
  ['framework-Django-6.0.10', 'PyLibMCCache'],
  ['framework-Django-6.0.10', 'PyMemcacheCache'],
  ['framework-Django-6.1', 'PyLibMCCache'],
  ['framework-Django-6.1.3', 'PyLibMCCache'],
  ['applications-5.1', 'PyMemcacheCache'],
  ['applications-6.1', 'PyMemcacheCache'],
] as const

const SETUP = `
import applications
applications.packages()
from django.conf import settings
settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.memcached." + backend, "LOCATION": servers, "KEY_PREFIX": "shop", "VERSION": 2}}
settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
settings.ROOT_URLCONF = "shell_urls"
settings.ALLOWED_HOSTS = ["*"]
settings.USE_I18N = True
settings.MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"]
import sys, types
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.cache import cache_page
from django.views.decorators.vary import vary_on_headers
views = types.ModuleType("shell_urls")
calls = []
def who(request):
    return HttpResponse(request.user.get_username() or "nobody")
@cache_page(60, key_prefix="site")
@vary_on_headers("Accept-Encoding")
def page(request):
    calls.append(request.path)
    response = HttpResponse("page of caf\\u00e9", content_type="text/plain; charset=utf-8")
    response["X-Shop"] = "lamps"
    return response
views.urlpatterns = [path("who/", who), path("page/", page)]
sys.modules["shell_urls"] = views
from django.core.cache import cache
from django.contrib.sessions.backends.cache import SessionStore
import django
result = [django.get_version(), [title for title, _, _ in applications.CASES]]
`

describe.each(combinations)('%s, %s', (name, backend) => {
  const python = environment(name)
  const missing = python === undefined ? `: ${name} is not installed` : ''
  describe.skipIf(python === undefined)(`live${missing}`, { timeout: 120_000 }, () => {
    const memcacheds: Memcached[] = []
    let shell: PythonShell
    let clients: Connected[]
    let plain: DjangoCache
    let exact: DjangoCache
    let titles: string[]
    let django: string

    beforeAll(async () => {
      while (memcacheds.length < serverCount(backend)) memcacheds.push(await startMemcached())
      const servers = memcacheds.map(({ address }) => address)
      shell = new PythonShell(python!)
      const found = (await shell.run(SETUP, { backend, servers })) as [string, string[]]
      django = found[0]
      titles = found[1]
      clients = [backends[backend]!(servers, false), backends[backend]!(servers, true)]
      const [one, other] = clients.map((client) => new DjangoCache(client, { keyPrefix: 'shop', version: 2 }))
      plain = one!
      exact = other!
    })
    afterAll(async () => {
      for (const client of clients ?? []) client.disconnectAll()
      await shell?.stop()
      for (const memcached of memcacheds) await memcached.stop()
    })

    it('every value of applications is read, written back and equal', async () => {
      await shell.run(`
for index, (title, make, protocols) in enumerate(applications.CASES):
    cache.set("case%d" % index, make())
`)
      expect(titles.length).toBeGreaterThan(50)
      for (const [index] of titles.entries()) {
        await plain.set(`plain${index}`, await plain.get(`case${index}`))
        await exact.set(`exact${index}`, await exact.get(`case${index}`))
      }
      const different = await shell.run(`
result = []
for index, (title, make, protocols) in enumerate(applications.CASES):
    original = cache.get("case%d" % index)
    for name, outside in (("plain", True), ("exact", False)):
        before, after = (applications.tree(value, outside) for value in (original, cache.get("%s%d" % (name, index))))
        if before != after or original is None:
            result.append([name, title, str(before)[:500], str(after)[:500]])
`)
      expect(different).toEqual([])
    })

    it('Python reads the values that Node writes', async () => {
      const values: [string, unknown][] = [
        ['None', null],
        ['True', true],
        ['5', 5],
        ['-2**70', -(2n ** 70n)],
        ['1.5', 1.5],
        ['2.0', new PyFloat(2)],
        ['"caf\\u00e9"', 'café'],
        ['""', ''],
        ['b"\\xff"', Buffer.from([255])],
        ['[1, ["a", None]]', [1, ['a', null]]],
        ['(1, (2.0,))', new PyTuple([1, new PyTuple([new PyFloat(2)])])],
        ['{"a": {"b": [True]}}', { a: { b: [true] } }],
        ['{1: 2}', new Map([[1, 2]])],
        ['{1, 2}', new Set([1, 2])],
        ['frozenset([1])', new PyFrozenSet(new Set([1]))],
        ['__import__("decimal").Decimal("1.10")', new PyDecimal('1.10')],
        ['__import__("uuid").UUID(int=5)', PyUuid.fromInt(5n)],
        ['__import__("datetime").timedelta(1, 2, 3)', new PyTimeDelta(1, 2, 3)],
        [
          '__import__("datetime").datetime(2020, 1, 2, 3, 4, 5, 6, __import__("datetime").timezone.utc)',
          new PyDateTime(2020, 1, 2, 3, 4, 5, 6, PyTimeZone.utc),
        ],
      ]
      for (const [index, [, value]] of values.entries()) await plain.set(`node${index}`, value)
      const different = await shell.run(
        `
result = []
for index, expression in enumerate(expressions):
    found, wanted = cache.get("node%d" % index), eval(expression)
    # pylibmc reads booleans as integers, its own too.
    if found != wanted or (type(found) is not type(wanted) and type(wanted) is not bool):
        result.append([expression, repr(found)])
`,
        { expressions: values.map(([expression]) => expression) },
      )
      expect(different).toEqual([])
    })

    it('counters, versions, many keys, times', async () => {
      await shell.run('cache.set("n", 5); cache.set("v", ["a"]); cache.set("many", 1)')
      expect(await plain.incr('n', 3)).toBe(8)
      expect(await plain.decr('n')).toBe(7)
      expect(await shell.run('result = cache.incr("n", 10)')).toBe(17)
      await expect(plain.incr('absent')).rejects.toThrow("Key 'shop:2:absent' not found")
      expect(await plain.incrVersion('v')).toBe(3)
      expect(await shell.run('result = [cache.get("v"), cache.get("v", version=3)]')).toEqual([null, ['a']])
      await shell.run('cache.decr_version("v", version=3)')
      expect(await plain.get('v')).toEqual(['a'])
      expect(await plain.setMany({ m1: 1, m2: 'two' })).toEqual([])
      expect(await shell.run('result = cache.get_many(["m1", "m2", "m3"])')).toEqual(
        dict({ m1: 1, m2: 'two' }),
      )
      await shell.run('cache.set_many({"m3": 3})')
      expect(await plain.getMany(['m1', 'm3', 'm4'])).toEqual(
        new Map([
          ['m1', 1],
          ['m3', 3],
        ]),
      )
      await plain.deleteMany(['m1', 'm2'])
      expect(await shell.run('result = cache.get_many(["m1", "m2", "m3"])')).toEqual(new Map([['m3', 3]]))
      expect(await plain.has('m3')).toBe(true)
      expect(await plain.delete('m3')).toBe(true)
      expect(await plain.delete('m3')).toBe(false)
      await plain.set('gone', 1, { timeout: 0 })
      await plain.set('past', 1, { timeout: -5 })
      await plain.set('kept', 1, { timeout: null })
      await plain.set('month', 1, { timeout: 40 * 86_400 })
      const read = 'result = [cache.get(key) for key in ("gone", "past", "kept", "month")]'
      expect(await shell.run(read)).toEqual([null, null, 1, 1])
      expect(await plain.touch('kept', { timeout: 0 })).toBe(true)
      expect(await shell.run('result = cache.get("kept")')).toBeNull()
      expect(await plain.touch('absent')).toBe(false)
      expect(await plain.add('month', 2)).toBe(false)
      expect(await plain.getOrSet('made', () => ({ by: 'Node' }))).toEqual({ by: 'Node' })
      expect(await shell.run('result = cache.get_or_set("made", 1)')).toEqual(new Map([['by', 'Node']]))
    })

    it('sessions: read, written, logged out, created', async () => {
      const sessions = new DjangoSessions(plain)
      const sessionKey = (await shell.run(`
s = SessionStore(); s["cart"] = [{"id": 7, "price": 12.5}]; s["1"] = "digit"; s.save(); result = s.session_key
`)) as string
      expect(await sessions.load(sessionKey)).toEqual({ '1': 'digit', cart: [{ id: 7, price: 12.5 }] })
      await sessions.save(sessionKey, { cart: [], seen: 'by Node' })
      const read = 'result = dict(SessionStore(key).items())'
      expect(await shell.run(read, { key: sessionKey })).toEqual(dict({ cart: [], seen: 'by Node' }))
      await sessions.delete(sessionKey)
      expect(
        await shell.run('result = [SessionStore().exists(key), dict(SessionStore(key).items())]', {
          key: sessionKey,
        }),
      ).toEqual([false, dict({})])
      await expect(sessions.save(sessionKey, {})).rejects.toThrow('deleted')
      const made = await sessions.create({ by: 'Node', n: 5 })
      expect(await shell.run(read, { key: made })).toEqual(dict({ by: 'Node', n: 5 }))
      // The session that Node made goes on in Python.
      await shell.run('s = SessionStore(key); s["more"] = True; s.save()', { key: made })
      expect(await sessions.load(made)).toEqual({ by: 'Node', n: 5, more: true })
    })

    it('a user who logged in is known, and logged out by Node', async () => {
      const sessions = new DjangoSessions(plain)
      const [sessionKey, id, password] = (await shell.run(`
from django.contrib.auth.models import User
from django.test import Client as Browser
User.objects.filter(username="zoe").delete()
user = User.objects.create_user("zoe", password="secret")
browser = Browser()
assert browser.login(username="zoe", password="secret")
result = [browser.cookies["sessionid"].value, str(user.pk), user.password]
`)) as [string, string, string]
      expect(await shell.run('result = browser.get("/who/").content.decode()')).toBe('zoe')
      const session = (await sessions.load(sessionKey))!
      expect(session._auth_user_id).toBe(id)
      expect(session._auth_user_hash).toBe(djangoSessionAuthHash(password, SECRET))
      await sessions.delete(sessionKey)
      expect(await shell.run('result = browser.get("/who/").content.decode()')).toBe('nobody')
    })

    it('sessions of the engine cached_db', async () => {
      await shell.run(
        'from django.contrib.sessions.backends.cached_db import SessionStore as Cached; from django.contrib.sessions.models import Session',
      )
      const table = {
        read: async (key: string) => {
          const [row] = (await shell.run(
            'result = [[row.session_data, row.expire_date] for row in Session.objects.filter(pk=key)]',
            { key },
          )) as [string, PyDateTime][]
          return row && { sessionData: row[0], expireDate: row[1].toDate() }
        },
        write: async (key: string, data: string, expires: Date) =>
          void (await shell.run(
            'Session.objects.update_or_create(pk=key, defaults={"session_data": data, "expire_date": expires})',
            { key, data, expires: PyDateTime.fromDate(expires) },
          )),
        delete: async (key: string) =>
          void (await shell.run('Session.objects.filter(pk=key).delete()', { key })),
      }
      const sessions = new DjangoSessions(plain, { engine: 'cached_db', table, signing: { key: SECRET } })
      const key = (await shell.run(
        's = Cached(); s["a"] = {"b": [1.5, None]}; s.save(); result = s.session_key',
      )) as string
      expect(await sessions.load(key)).toEqual({ a: { b: [1.5, null] } })
      await plain.delete(sessions.cacheKey(key))
      expect(await sessions.load(key)).toEqual({ a: { b: [1.5, null] } })
      await sessions.save(key, { a: 'Node' })
      const read = 'result = dict(Cached(key).items())'
      expect(await shell.run(read, { key })).toEqual(dict({ a: 'Node' }))
      await shell.run('cache.clear()')
      expect(await shell.run(read, { key })).toEqual(dict({ a: 'Node' }))
      const made = await sessions.create({ by: 'Node' })
      await shell.run('cache.clear()')
      expect(await shell.run(read, { key: made })).toEqual(dict({ by: 'Node' }))
      await sessions.delete(key)
      expect(
        await shell.run('result = [Cached().exists(key) or False, dict(Cached(key).items())]', { key }),
      ).toEqual([false, dict({})])
    })

    it('the session cookie and other signed texts', async () => {
      const data = { user: 42, names: ['Zoë', null], price: 12.5, big: 2n ** 60n }
      const cookie = writeSessionCookie(data, { key: SECRET })
      const read = await shell.run(
        'from django.contrib.sessions.backends.signed_cookies import SessionStore as Cookie; result = dict(Cookie(cookie).items())',
        { cookie },
      )
      expect(read).toEqual(dict({ ...data, price: new PyFloat(12.5) }))
      const theirs = (await shell.run(
        's = Cookie(); s.update(dict(a=[1, "x" * 100], b=2**60)); s.save(); result = s.session_key',
      )) as string
      expect(readSessionCookie(theirs, { key: SECRET })).toEqual({ a: [1, 'x'.repeat(100)], b: 2n ** 60n })
      const signed = (await shell.run(
        'from django.core import signing; result = signing.dumps({"a": 1}, salt="mine")',
      )) as string
      expect(djangoLoads(signed, { key: SECRET, salt: 'mine' })).toEqual({ a: 1 })
      const signer = djangoCookieSigner('visits', { key: SECRET, salt: 'extra', django })
      const [set, got] = (await shell.run(
        `
from django.http import HttpRequest, HttpResponse
response, request = HttpResponse(), HttpRequest()
response.set_signed_cookie("visits", "17", salt="extra")
request.COOKIES["visits"] = signed
result = [response.cookies["visits"].value, request.get_signed_cookie("visits", salt="extra", max_age=60)]
`,
        { signed: signer.sign('18') },
      )) as [string, string]
      expect([signer.unsign(set, { maxAge: 60 }), got]).toEqual(['17', '18'])
    })

    it('pages and template fragments', async () => {
      const request = {
        url: 'http://shop.example/page/?q=1',
        headers: { 'accept-encoding': 'gzip' },
        keyPrefix: 'site',
        language: 'en-us',
        timeZone: 'America/Chicago',
        django,
      }
      await shell.run(
        'response = Browser().get("/page/?q=1", HTTP_HOST="shop.example", HTTP_ACCEPT_ENCODING="gzip")',
      )
      const varyOn = (await plain.get<string[]>(djangoPageHeaderKey(request)))!
      expect(varyOn).toEqual(['HTTP_ACCEPT_ENCODING'])
      const page = readDjangoPage(await plain.get(djangoPageKey(request, varyOn)))!
      expect(page.body.toString()).toBe('page of café')
      expect(page.headers).toContainEqual(['X-Shop', 'lamps'])
      // Node takes the page out of the cache, and Django makes it anew.
      expect(await plain.delete(djangoPageKey(request, varyOn))).toBe(true)
      await shell.run('Browser().get("/page/?q=1", HTTP_HOST="shop.example", HTTP_ACCEPT_ENCODING="gzip")')
      expect(await shell.run('result = len(calls)')).toBe(2)

      await plain.set(makeTemplateFragmentKey('side', ['zoe', '1'], { django }), '<b>from Node</b>')
      const rendered = await shell.run(`
from django.template import Context, Engine
engine = Engine(libraries={"cache": "django.templatetags.cache"})
text = "{% load cache %}{% cache 60 side user number %}from Django{{ user }}{% endcache %}"
result = ["" + engine.from_string(text).render(Context({"user": user, "number": 1})) for user in ("zoe", "ada")]
`)
      expect(rendered).toEqual(['<b>from Node</b>', 'from Djangoada'])
      expect(djangoText(await plain.get(makeTemplateFragmentKey('side', ['ada', '1'], { django })))).toBe(
        'from Djangoada',
      )
    })
  })
})
