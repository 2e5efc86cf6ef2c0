/**
 * The types of Python's standard library that have a class in this package: how a pickle makes an instance from constructor arguments, and
 * what CPython 3.11 writes for it (its `__reduce_ex__`). Constructors are recognised by name; Python's code is never called.
 */
import { collections } from './reduce-collections.js'
import { dates } from './reduce-dates.js'
import { numbers } from './reduce-numbers.js'
import type { Construct, Reduction } from './reduction.js'

export const reductions: readonly Reduction[] = [...dates, ...numbers, ...collections]

/** By `module.name`. */
export const constructs: ReadonlyMap<string, Construct> = new Map(
  reductions.flatMap(({ module, name, construct }) => (construct ? [[`${module}.${name}`, construct]] : [])),
)

/** The types whose objects are complete only with their state. */
export const finishers = reductions.flatMap(({ module, name, finish }) =>
  finish ? [{ className: `${module}.${name}`, read: finish }] : [],
)
