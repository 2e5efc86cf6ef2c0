/** Classes whose instances are recognised across copies of this package in one process. */

type Class = abstract new (...args: never[]) => object

/**
 * Makes `instanceof` ask for a mark instead of the prototype, so that an object of another copy counts. Subclasses that are not marked
 * themselves are compared by prototype, as usual.
 * @param name unique in the package
 */
export function brand(branded: Class, name: string): void {
  const mark = Symbol.for(`memshim.${name}`)
  Object.defineProperty(branded.prototype, mark, { value: true })
  Object.defineProperty(branded, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this !== branded) return Function.prototype[Symbol.hasInstance].call(this as Class, value)
      return typeof value === 'object' && value !== null && mark in value
    },
  })
}
