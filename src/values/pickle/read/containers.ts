/** Items that join lists, sets and dicts, in the order they are on the stack. */

import { isPlain, PythonObject } from '../../classes/built-ins.js'
import { PyDeque } from '../../classes/collections.js'
import type { Machine } from './machine.js'
import { isPropertyName, setOwn } from './plain.js'

/** Stack entries `from`…`to` join the list on top of the stack. */
export function extend(m: Machine, target: unknown, from: number, to: number): void {
  const { stack } = m
  m.grows(target)
  let items: unknown[]
  if (Array.isArray(target)) items = target
  else if (target instanceof PythonObject) items = target.listItems
  else if (target instanceof PyDeque) items = target.items
  else throw m.error('items for something that is not a list')
  m.spendOnList(items.length, to - from)
  for (let i = from; i < to; i++) items.push(stack[i])
}

export function addItems(m: Machine, target: unknown, from: number, to: number): void {
  const { stack } = m
  m.grows(target)
  m.spendOnSet(to - from)
  if (target instanceof Set) {
    m.checkHashes(target, from, to, 1)
    for (let i = from; i < to; i++) target.add(stack[i])
  } else if (target instanceof PythonObject) {
    for (let i = from; i < to; i++) target.setItems.push(stack[i])
  } else throw m.error('items for something that is not a set')
}

/** Stack entries `from`…`to`, keys and values in turn, join the dict. */
export function setItems(m: Machine, target: unknown, from: number, to: number): void {
  const { stack } = m
  m.grows(target)
  if ((to - from) % 2 !== 0) throw m.error('a key without a value')
  m.spendOnDict((to - from) / 2)
  if (target instanceof Map) {
    m.checkHashes(target, from, to, 2)
    for (let i = from; i < to; i += 2) target.set(stack[i], stack[i + 1])
  } else if (target instanceof PythonObject) {
    for (let i = from; i < to; i += 2) target.dictItems.push([stack[i], stack[i + 1]])
  } else if (isPlain(target)) {
    for (let i = from; i < to; i += 2) {
      const key = stack[i]
      if (typeof key !== 'string' || !isPropertyName(key)) return m.needsMap(target)
      setOwn(target, key, stack[i + 1])
    }
  } else {
    throw m.error('items for something that is not a dict')
  }
}
