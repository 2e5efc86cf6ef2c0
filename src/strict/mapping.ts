/** A client as a mapping: Python's c[k], c[k] = v, del c[k], k in c, by get, set and delete. Source: docs/reference/pylibmc.md#5.8. */
import type { Key } from '../pipeline/methods/index.js'
import { KeyError } from '../python/errors.js'

/** The methods that a subclass may override. */
interface Methods {
  get(key: Key, missing: unknown): Promise<unknown>
  set(key: Key, value: unknown): Promise<boolean>
  delete(key: Key): Promise<boolean>
}

/** A default that no caller's value can equal. */
const MISSING = Symbol('missing')

const keyText = (key: Key): string => (typeof key === 'string' ? key : Buffer.from(key).toString())

export async function getItem(client: Methods, key: Key): Promise<unknown> {
  const value = await client.get(key, MISSING)
  if (value === MISSING) throw new KeyError(keyText(key))
  return value
}

export async function setItem(client: Methods, key: Key, value: unknown): Promise<void> {
  if (!(await client.set(key, value))) throw new KeyError(`failed setting '${keyText(key)}'`)
}

export async function deleteItem(client: Methods, key: Key): Promise<void> {
  if (!(await client.delete(key))) throw new KeyError(keyText(key))
}

export async function hasItem(client: Methods, key: Key): Promise<boolean> {
  return (await client.get(key, MISSING)) !== MISSING
}
