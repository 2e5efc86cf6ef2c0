/** Results of Celery, sessions of Flask-Session and keys of Flask-Caching, against what the packages store. */
import { describe, expect, test } from 'vitest'
import * as frameworks from '../../../src/frameworks/index.js'
import { BadSignature, FlaskSessions } from '../../../src/frameworks/index.js'
import {
  PyDate,
  PyDateTime,
  PyDecimal,
  PyTime,
  PyTimeZone,
  PyUuid,
  pickle,
  pythonMemcachedEncoding,
} from '../../../src/values/index.js'
import { decode, type Item, jobs, key, memory } from './recorded.js'

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
  const flaskCaching = packages['Flask-Caching']!
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
