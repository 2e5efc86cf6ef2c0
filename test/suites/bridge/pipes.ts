/** Frames between Python and this process: four bytes of length, then a pickle. Objects that stay in Python cross as persistent ids. */
import { readSync, writeSync } from 'node:fs'
import { PyFloat, PyTuple, pickle, unpickle } from '../../../src/values/index.js'

/** An object that stays in Python: it can only be given back. */
export class PythonObject {
  constructor(readonly id: string) {}
}

const objects = new Map<string, PythonObject>()

function pythonObject(id: unknown): PythonObject {
  const name = String(id)
  const known = objects.get(name) ?? new PythonObject(name)
  objects.set(name, known)
  return known
}

export function decoded(bytes: Uint8Array): unknown {
  return unpickle(bytes, { preserve: true, persistentLoad: pythonObject })
}

export function encoded(value: unknown): Buffer {
  return Buffer.from(
    pickle(value, {
      protocol: 5,
      persistentId: (one: unknown) => (one instanceof PythonObject ? one.id : undefined),
    } as never),
  )
}

export function writeFrame(descriptor: number, value: unknown): void {
  const bytes = encoded(value)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  const frame = Buffer.concat([length, bytes])
  for (let at = 0; at < frame.length; ) at += writeSync(descriptor, frame, at)
}

/** Blocks until a whole frame is there. */
export function readFrame(descriptor: number): unknown {
  return decoded(readExactly(descriptor, readExactly(descriptor, 4).readUInt32LE()))
}

function readExactly(descriptor: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; ) {
    const count = readSync(descriptor, bytes, at, length - at, null)
    // Python has ended.
    if (count === 0) process.exit(0)
    at += count
  }
  return bytes
}

/** A float where an option wants a number. */
export function number(value: unknown): unknown {
  return value instanceof PyFloat ? value.value : value
}

export function list(value: unknown): unknown[] {
  return value instanceof PyTuple ? [...value.items] : (value as unknown[])
}

/** A dict of options with our names: `key_prefix` is `keyPrefix`. */
export function options(dict: unknown): Record<string, unknown> {
  return Object.fromEntries(
    [...(dict as Map<string, unknown>)].map(([name, value]) => [camel(name), number(value)]),
  )
}

/** The same with Python's names, as behaviors have them. */
export function settings(dict: unknown): Record<string, unknown> {
  return Object.fromEntries([...(dict as Map<string, unknown>)].map(([name, value]) => [name, number(value)]))
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
