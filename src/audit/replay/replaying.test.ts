import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { PyTuple } from '../../values/index.js'
import { touchedKeys } from '../methods/touched-keys.js'
import { epochOf, ReplayClock } from './clock.js'
import { Topology } from './topology.js'

describe('what a replay needs to know', () => {
  it('maps servers by first appearance, with their weights', () => {
    const topology = new Topology(2, false)
    expect(topology.map(['b:1', ['a:1', 3]], 2, 't')).toEqual([
      { index: 0, name: 'b:1' },
      { index: 1, weight: 3, name: 'a:1' },
    ])
    expect(topology.map(['a:1'], 3, 't')).toEqual([{ index: 1, name: 'a:1' }])
    expect(() => topology.map(['c:1'], 4, 't')).toThrow(
      't, line 4, field "new.servers": "c:1" is server number 3',
    )
  })

  it('gives every client all servers when the user chose another number', () => {
    expect(new Topology(3, true).map(['a:1'], 2, 't')).toEqual([{ index: 0 }, { index: 1 }, { index: 2 }])
  })

  it('finds the keys of every call, as they are on the wire', () => {
    expect(touchedKeys({ key: 'é' })).toEqual(['\xc3\xa9'])
    expect(touchedKeys({ key: Buffer.from([0xff]) })).toEqual(['\xff'])
    expect(touchedKeys({ key: new PyTuple([7, 'k']) })).toEqual(['k'])
    expect(touchedKeys({ keys: ['a', 'b', 'a'], key_prefix: 'p:' })).toEqual(['p:a', 'p:b'])
    expect(
      touchedKeys({
        mapping: new Map<unknown, unknown>([
          [1, 'x'],
          ['b', 'y'],
        ]),
      }),
    ).toEqual(['1', 'b'])
    expect(touchedKeys({})).toEqual([])
  })

  it('runs on the time of the trace, which never runs back', () => {
    const clock = new ReplayClock(1000)
    clock.advanceTo(5)
    clock.advanceTo(3)
    expect(clock.now()).toBe(1005)
    expect(epochOf({ epoch: 7, recorded: '2026-11-23' }, 1)).toBe(7)
    expect(epochOf({ recorded: '1970-01-02' }, 1)).toBe(86400)
    expect(epochOf({}, 1)).toBe(1)
  })
})
