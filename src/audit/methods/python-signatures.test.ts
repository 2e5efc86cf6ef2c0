import { describe, expect, it } from 'vitest'
import { versionAtLeast } from '../../rules/version.js'
import { bind, type Library } from './python-signatures.js'

const pylibmc: Library = { name: 'pylibmc', version: '1.6.3' }
const memcache = (version: string): Library => ({ name: 'python-memcached', version })
const call = (name: string, args: unknown[] = [], kwargs: Record<string, unknown> = {}) => ({
  call: name,
  args,
  kwargs,
})

const noMethod = expect.objectContaining({ python: 'builtins.AttributeError', problem: 'method' })

describe('Python signatures', () => {
  it('binds positional and keyword arguments by name', () => {
    expect(bind(memcache('1.59'), call('set', ['k', 1, 60], { noreply: true }))).toEqual({
      key: 'k',
      val: 1,
      time: 60,
      noreply: true,
    })
    expect(bind(pylibmc, call('set_multi', [{ a: 1 }], { key_prefix: 'p' }))).toEqual({
      keys: { a: 1 },
      key_prefix: 'p',
    })
  })

  it('delete has a time up to 1.59, and its second argument is noreply from 1.60 on', () => {
    expect(bind(memcache('1.59'), call('delete', ['k', 5]))).toEqual({ key: 'k', time: 5 })
    expect(bind(memcache('1.60'), call('delete', ['k', 5]))).toEqual({ key: 'k', noreply: 5 })
    expect(() => bind(memcache('1.62'), call('delete', ['k', 0, true]))).toThrow(TypeError)
    expect(() => bind(pylibmc, call('delete', ['k', 0]))).toThrow(TypeError)
  })

  it('get has a default from 1.60 on', () => {
    expect(() => bind(memcache('1.59'), call('get', ['k', 1]))).toThrow(TypeError)
    expect(bind(memcache('1.60'), call('get', ['k', 1]))).toEqual({ key: 'k', default: 1 })
  })

  it('pylibmc takes no keywords where its C functions take none', () => {
    expect(() => bind(pylibmc, call('incr', ['k'], { delta: 2 }))).toThrow(
      'incr() takes no keyword arguments',
    )
    expect(() => bind(pylibmc, call('get', [], { key: 'k' }))).toThrow(TypeError)
  })

  it('refuses unknown methods, unknown and repeated keywords, and missing arguments as Python does', () => {
    expect(() => bind(pylibmc, call('forget_dead_hosts'))).toThrow(noMethod)
    expect(() => bind(memcache('1.59'), call('quit_all'))).toThrow(noMethod)
    expect(() => bind(memcache('1.59'), call('set', ['k', 1], { value: 2 }))).toThrow(
      "unexpected keyword argument 'value'",
    )
    expect(() => bind(memcache('1.59'), call('set', ['k', 1], { val: 2 }))).toThrow(
      "multiple values for argument 'val'",
    )
    expect(() => bind(memcache('1.59'), call('set', ['k']))).toThrow("missing required argument: 'val'")
    expect(() => bind(memcache('1.59'), call('toString'))).toThrow(noMethod)
  })

  it('orders versions by number', () => {
    expect(versionAtLeast('1.59', '1.60')).toBe(false)
    expect(versionAtLeast('1.62', '1.60')).toBe(true)
    expect(versionAtLeast('1.6', '1.59')).toBe(false)
  })
})
