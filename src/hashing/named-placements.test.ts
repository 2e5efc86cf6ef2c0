import { describe, expect, it } from 'vitest'
import { moved, placements } from './named-placements.js'

const servers = (n: number) =>
  Array.from({ length: n }, (_, i) => ({ host: `10.0.0.${i + 1}`, port: 11211, weight: 1 }))
const named = (n: number, name: string) =>
  placements(servers(n)).find((placement) => placement.name === name)!

describe('placements', () => {
  it('python-memcached: the vectors of its specification for 2, 3, 4 and 5 servers', () => {
    // docs/reference/python-memcached.md#6.5
    for (const [key, indexes] of [
      ['foo', [1, 1, 3, 2]],
      ['bar', [1, 1, 3, 3]],
      ['a', [1, 2, 3, 2]],
    ] as const) {
      expect([2, 3, 4, 5].map((n) => named(n, 'python-memcached').place(key))).toEqual(indexes)
    }
  })

  it('with hash=crc pylibmc agrees with python-memcached from 1.60 on; by default it does not', () => {
    // docs/reference/python-memcached.md#19
    const keys = Array.from({ length: 302 }, (_, i) => `key:${i}`)
    expect(moved(keys, named(3, 'python-memcached'), named(3, 'pylibmc-crc'))).toBe(0)
    expect(moved(keys, named(3, 'python-memcached'), named(3, 'pylibmc'))).toBeGreaterThan(150)
  })

  it('a key whose hash is zero moved between 1.59 and 1.60', () => {
    // docs/reference/python-memcached.md#22, #trap-27
    for (const key of ['ob', 'k25']) {
      expect(moved([key], named(2, 'python-memcached-1.59'), named(2, 'python-memcached'))).toBe(1)
    }
  })
})
