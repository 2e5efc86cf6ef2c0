/** The envelopes of dogpile.cache and Beaker, against what the packages store. */
import { describe, expect, test } from 'vitest'
import * as frameworks from '../../../src/frameworks/index.js'
import { pickle, unpickle } from '../../../src/values/index.js'
import { decode, type Item, jobs, NOW } from './recorded.js'

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
