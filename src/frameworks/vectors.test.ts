/** Against what the real packages hand to their memcached client (fixtures/record/applications/frameworks.py). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  beakerKey,
  djangoKey,
  djangoTime,
  dogpileKey,
  dogpileSha1,
  flaskCachingKey,
  flaskCachingTime,
  InvalidCacheKey,
} from './index.js'

const path = join(import.meta.dirname, '..', '..', 'fixtures', 'vectors', 'frameworks.json')
const vectors = JSON.parse(readFileSync(path, 'utf8'))
/** What the recorder gave as default timeout. */
const DEFAULT = 77
const { now } = vectors

describe('Django', () => {
  test.each<{ backend: string; prefix: string; version: number; key: string; sent: unknown }>(
    vectors.django.keys,
  )('$backend, prefix "$prefix": $key', ({ prefix, version, key, sent }) => {
    const make = () => djangoKey(key, { keyPrefix: prefix, version })
    if (typeof sent === 'string') expect(make()).toBe(sent)
    else {
      expect(sent).toEqual({ raises: 'InvalidCacheKey' })
      expect(make).toThrow(InvalidCacheKey)
    }
  })
  test.each<{ backend: string; time: number | null | 'default'; sent: number }>(vectors.django.times)(
    '$backend: timeout $time',
    ({ time, sent }) => {
      expect(djangoTime(time === 'default' ? DEFAULT : time, now)).toBe(sent)
    },
  )
})

describe('Flask-Caching', () => {
  test.each<{ prefix: string | null; key: string; sent: string | null }>(vectors.flaskCaching.keys)(
    'prefix $prefix: $key',
    ({ prefix, key, sent }) => {
      expect(flaskCachingKey(key, prefix ?? '')).toBe(sent ?? undefined)
    },
  )
  test.each<{ time: number | null | 'default'; sent: number }>(vectors.flaskCaching.times)(
    'timeout $time',
    ({ time, sent }) => {
      expect(flaskCachingTime(typeof time === 'number' ? time : DEFAULT, now)).toBe(sent)
    },
  )
})

describe('dogpile.cache and Beaker', () => {
  const python: Record<string, string> = { null: 'None', true: 'True' }
  test.each<{ module: string; function: string; namespace: string | null; args: unknown[]; key: string }>(
    vectors.dogpile.generated,
  )('$key', ({ module, function: name, namespace, args, key }) => {
    const shown = args.map((arg) => python[String(arg)] ?? String(arg))
    expect(dogpileKey({ module, name, namespace: namespace ?? undefined }, shown)).toBe(key)
  })
  test.each<{ key: string; sent: string }>(vectors.dogpile.sha1)('sha1 of $key', ({ key, sent }) => {
    expect(dogpileSha1(key)).toBe(sent)
  })
  test.each<{ namespace: string; key: string; sent: string }>(vectors.beaker.keys)(
    'Beaker: $key',
    ({ namespace, key, sent }) => {
      expect(beakerKey(namespace, key)).toBe(sent)
    },
  )
})
