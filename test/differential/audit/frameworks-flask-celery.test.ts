/** Real Celery, Flask-Session, Flask-Caching, cachelib, dogpile.cache and Beaker beside their helpers, on one memcached, both ways. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  beakerKey,
  celeryError,
  celeryKey,
  dogpileKey,
  dogpileSha1,
  FlaskSessions,
  flaskCachingKey,
  flaskCachingTime,
  flaskMemoizeKey,
  flaskMemoizeVersion,
  flaskMemoizeVersionKeys,
  readBeaker,
  readCeleryGroup,
  readCeleryMeta,
  readDogpile,
  writeBeaker,
  writeCeleryMeta,
  writeDogpile,
  writeDogpileBytes,
} from '../../../src/frameworks/index.js'
import { Client } from '../../../src/strict/index.js'
import { PyDecimal, PyFloat, pythonMemcachedEncoding } from '../../../src/values/index.js'
import { type Memcached, startMemcached } from '../../support/memcached.js'
import { environment, PythonShell } from '../../support/python-shell.js'

const dict = (entries: object) => new Map(Object.entries(entries))

describe.each(['applications-5.1', 'applications-6.1'])('%s', (name) => {
  const python = environment(name)
  describe.skipIf(python === undefined)(
    `live${python ? '' : `: ${name} is not installed`}`,
    { timeout: 120_000 },
    () => {
      let memcached: Memcached
      let shell: PythonShell
      let mc: Client

      beforeAll(async () => {
        memcached = await startMemcached()
        shell = new PythonShell(python!)
        // One server: the library in use is python-memcached 1.62, whose values these are.
        mc = new Client([memcached.address], { encoding: pythonMemcachedEncoding() })
        await shell.run('import warnings; warnings.simplefilter("ignore"); address = given_address', {
          given_address: memcached.address,
        })
      })
      afterAll(async () => {
        mc?.disconnectAll()
        await shell?.stop()
        await memcached?.stop()
      })

      it.each(['json', 'pickle'] as const)('Celery, %s', async (serializer) => {
        await shell.run(
          `
import datetime, decimal
from celery import Celery
from celery.result import AsyncResult
app = Celery("shop", backend="cache+memcached://" + address + "/")
app.conf.update(result_serializer=serializer, accept_content=[serializer])
app.backend.store_result("p1" + serializer, {"price": decimal.Decimal("1.10"), "n": [1, 2.5, None]}, "SUCCESS")
app.backend.store_result("p2" + serializer, KeyError("no"), "FAILURE", traceback="Traceback")
class Unpickleable(Exception):
    def __init__(self, text, *, code):
        super().__init__(text, code)
        self.lock = __import__("threading").Lock()
app.backend.store_result("p4" + serializer, Unpickleable("no", code=5), "FAILURE")
from celery.result import GroupResult
inner = GroupResult("inner", [AsyncResult("t2", app=app)])
GroupResult("g" + serializer, [AsyncResult("t1", app=app), inner]).save(backend=app.backend)
`,
          { serializer },
        )
        const done = readCeleryMeta(await mc.get(celeryKey(`p1${serializer}`)))!
        expect(done).toMatchObject({
          status: 'SUCCESS',
          result: { price: new PyDecimal('1.10'), n: [1, 2.5, null] },
        })
        const failed = readCeleryMeta(await mc.get(celeryKey(`p2${serializer}`)))!
        expect(celeryError(failed)).toEqual({ type: 'KeyError', module: 'builtins', args: ['no'] })
        expect(readCeleryMeta(await mc.get(celeryKey('p3')))).toBeUndefined()
        const wrapped = readCeleryMeta(await mc.get(celeryKey(`p4${serializer}`)))!
        expect(celeryError(wrapped)).toMatchObject({ type: 'Unpickleable', args: ['no', 5] })
        const groupKey = celeryKey(`g${serializer}`, { kind: 'group' })
        expect(readCeleryGroup(await mc.get(groupKey))).toEqual({
          id: `g${serializer}`,
          results: [{ id: 't1' }, { id: 'inner', results: [{ id: 't2' }] }],
        })
        expect(readCeleryGroup(undefined)).toBeUndefined()
        expect(() => readCeleryGroup('{"status": "SUCCESS"}')).toThrow('not a group of Celery')

        const result = {
          by: 'Node',
          price: new PyDecimal('2.20'),
          bytes: Buffer.from([255]),
          list: [1.5, null],
        }
        const meta = { status: 'SUCCESS', task_id: 'n1', result, date_done: '2024-01-02T03:04:05+00:00' }
        await mc.set(celeryKey(`n${serializer}`), writeCeleryMeta(meta, { serializer }), { time: 60 })
        const error = { exc_type: 'ValueError', exc_module: 'builtins', exc_message: ['from Node', 5] }
        const failure = { status: 'FAILURE', task_id: 'n2', result: error, traceback: 'in Node' }
        await mc.set(celeryKey('n2'), writeCeleryMeta(failure, { serializer: 'json' }), { time: 60 })
        const read = await shell.run(
          'r = AsyncResult("n" + serializer, app=app); result = [r.status, r.result, str(r.date_done)]',
        )
        const theirs = {
          by: 'Node',
          price: new PyDecimal('2.20'),
          bytes: Buffer.from([255]),
          list: [new PyFloat(1.5), null],
        }
        expect(read).toEqual(['SUCCESS', dict(theirs), '2024-01-02 03:04:05+00:00'])
        if (serializer === 'json')
          expect(
            await shell.run(
              'r = AsyncResult("n2", app=app); result = [r.status, repr(r.result), r.traceback]',
            ),
          ).toEqual(['FAILURE', "ValueError('from Node', 5)", 'in Node'])
      })

      it('Flask-Session', async () => {
        await shell.run(`
import flask, memcache
from flask_session import Session
web = flask.Flask("shop")
web.secret_key = "s"
web.config.update(SESSION_TYPE="memcached", SESSION_MEMCACHED=memcache.Client([address]), SESSION_SERIALIZATION_FORMAT="json")
Session(web)
@web.route("/put/<value>")
def put(value):
    flask.session["value"] = value
    flask.session["n"] = [1, 2.5, None]
    return "put"
@web.route("/get")
def get():
    return str(flask.session.get("value"))
browser = web.test_client()
browser.get("/put/caf\\u00e9")
`)
        const sid = (await shell.run('result = browser.get_cookie("session").value')) as string
        const sessions = new FlaskSessions(mc, { format: 'json' })
        expect(await sessions.load(sid)).toMatchObject({ value: 'café', n: [1, 2.5, null] })
        await sessions.save(sid, { value: 'Zoë by Node' })
        expect(await shell.run('result = browser.get("/get").data.decode()')).toBe('Zoë by Node')
        const made = await sessions.create({ value: 'made by Node' })
        expect(
          await shell.run('browser.set_cookie("session", sid); result = browser.get("/get").data.decode()', {
            sid: made,
          }),
        ).toBe('made by Node')
        await sessions.delete(made)
        expect(await shell.run('result = browser.get("/get").data.decode()')).toBe('None')
      })

      it('Flask-Caching: views, memoized functions and their versions; cachelib', async () => {
        const [flaskCaching, pythonVersion] = (await shell.run(`
from flask_caching import Cache
from cachelib import MemcachedCache
site = flask.Flask("site")
store = Cache(site, config={"CACHE_TYPE": "MemcachedCache", "CACHE_MEMCACHED_SERVERS": memcache.Client([address]), "CACHE_KEY_PREFIX": "app_"})
calls = []
def price(product, currency="EUR", **more):
    calls.append(product)
    return {"product": product, "cents": 1250}
price.__module__ = "shop.prices"
price = store.memoize(60)(price)
with site.app_context():
    price("lamp", note="it's")
import flask_caching, sys
result = [flask_caching.__version__, "%d.%d" % sys.version_info[:2]]
`)) as [string, string]
        const called = { module: 'shop.prices', name: 'price' }
        const [versionKey] = flaskMemoizeVersionKeys(called, { flaskCaching })
        const version = (await mc.get(flaskCachingKey(versionKey!, 'app_')!)) as string
        const key = (product: string, version: string) =>
          flaskCachingKey(
            flaskMemoizeKey(called, [`'${product}'`, "'EUR'"], version, {
              flaskCaching,
              python: pythonVersion,
              kwargs: { note: '"it\'s"' },
            }),
            'app_',
          )!
        expect(await mc.get(key('lamp', version))).toEqual({ product: 'lamp', cents: 1250 })
        await mc.set(key('chair', version), { product: 'chair', cents: 5 }, { time: flaskCachingTime(60) })
        const read = `with site.app_context():\n    result = [price("chair", note="it's"), calls]`
        expect(await shell.run(read)).toEqual([dict({ product: 'chair', cents: 5 }), ['lamp']])
        // A new version forgets all of the function's results.
        await mc.set(flaskCachingKey(versionKey!, 'app_')!, flaskMemoizeVersion(), {
          time: flaskCachingTime(60),
        })
        expect(await shell.run(read)).toEqual([dict({ product: 'chair', cents: 1250 }), ['lamp', 'chair']])

        await shell.run('lib = MemcachedCache([address], key_prefix="lib_"); lib.set("k", {"a": (1, 2)})')
        expect(await mc.get(flaskCachingKey('k', 'lib_')!)).toEqual({ a: [1, 2] })
        await mc.set(flaskCachingKey('n', 'lib_')!, ['by Node', null], { time: flaskCachingTime(60) })
        expect(await shell.run('result = lib.get("n")')).toEqual(['by Node', null])
      })

      it('dogpile.cache', async () => {
        await shell.run(`
from dogpile.cache import make_region
from dogpile.cache.util import sha1_mangle_key
region = make_region(key_mangler=lambda key: sha1_mangle_key(key.encode())).configure("dogpile.cache.memcached", expiration_time=60, arguments={"url": address})
made = []
def price(product):
    made.append(product)
    return {"product": product, "rates": [1.5, None]}
price.__module__ = "shop.prices"
price = region.cache_on_arguments()(price)
price("lamp")
`)
        const key = (product: string) =>
          dogpileSha1(dogpileKey({ module: 'shop.prices', name: 'price' }, [product]))
        const lamp = readDogpile(await mc.get(key('lamp')))!
        expect(lamp.payload).toEqual({ product: 'lamp', rates: [1.5, null] })
        expect(Math.abs(lamp.created - Date.now() / 1000)).toBeLessThan(100)
        await mc.set(key('chair'), writeDogpile({ product: 'chair', by: 'Node' }))
        await mc.set(key('old'), writeDogpile('stale', Date.now() / 1000 - 100))
        const found = await shell.run('result = [price("chair"), price("old")["product"], made]')
        expect(found).toEqual([dict({ product: 'chair', by: 'Node' }), 'old', ['lamp', 'old']])

        // A region with a serializer of its own stores bytes.
        await shell.run(`
import json
texts = make_region(serializer=lambda value: json.dumps(value).encode(), deserializer=json.loads).configure("dogpile.cache.memcached", expiration_time=60, arguments={"url": address})
texts.set("theirs", {"a": ["|", None]})
`)
        const deserialize = (bytes: Buffer): unknown => JSON.parse(bytes.toString())
        const theirs = await mc.get('theirs')
        expect(readDogpile(theirs, { deserialize })).toMatchObject({ payload: { a: ['|', null] } })
        expect(readDogpile(theirs)).toBeUndefined()
        const serialize = (value: unknown) => Buffer.from(JSON.stringify(value))
        await mc.set('ours', writeDogpileBytes({ b: 'Zoë' }, serialize))
        expect(await shell.run('result = texts.get("ours")')).toEqual(dict({ b: 'Zoë' }))
      })

      it('Beaker', async () => {
        await shell.run(
          `
from beaker.cache import CacheManager
from beaker.util import parse_cache_config_options
manager = CacheManager(**parse_cache_config_options({"cache.type": "ext:memcached", "cache.url": address, "cache.memcache_module": "memcache", "cache.lock_dir": folder}))
prices = manager.get_cache("shop.prices", expire=60)
prices.put("lamp", {"cents": 1250})
`.replace('folder', '__import__("tempfile").mkdtemp()'),
        )
        expect(readBeaker(await mc.get(beakerKey('shop.prices', 'lamp')))).toMatchObject({
          value: { cents: 1250 },
          expires: 60,
        })
        await mc.set(beakerKey('shop.prices', 'a chair'), writeBeaker({ by: 'Node' }, 60))
        await mc.set(beakerKey('shop.prices', 'old'), writeBeaker('stale', 60, Date.now() / 1000 - 100))
        expect(
          await shell.run('result = [prices.get("a chair"), prices.get("old", createfunc=lambda: "new")]'),
        ).toEqual([dict({ by: 'Node' }), 'new'])
      })
    },
  )
})
