import { expect, test } from 'vitest'
import { defaultPreset } from './columns.js'

test.each([
  ['1.43', 'python-memcached-1.59'],
  ['1.44', 'python-memcached-1.44'],
  ['1.48', 'python-memcached-1.47'],
  ['1.54', 'python-memcached-1.54'],
  ['1.55', 'python-memcached-1.55'],
  ['1.56', 'python-memcached-1.56'],
  ['1.57', 'python-memcached-1.57'],
  ['1.58', 'python-memcached-1.58'],
  ['1.61', 'python-memcached-1.61'],
  ['99.0', 'python-memcached-1.62'],
])('a trace of python-memcached %s is audited as %s', (version, preset) => {
  expect(defaultPreset({ name: 'python-memcached', version })).toBe(preset)
})

test('a trace of pylibmc has no version of python-memcached to follow', () => {
  expect(defaultPreset({ name: 'pylibmc', version: '1.6.3' })).toBe('python-memcached-1.59')
})
