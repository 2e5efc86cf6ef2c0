/** Classes whose instances are recognised across copies of this package in one process. */

type Class = abstract new (...args: never[]) => object

/** The property of a branded prototype with the names of its class and of its branded base classes. */
const BRANDS: unique symbol = Symbol.for('memshim.brands') as never
interface Branded {
  readonly [BRANDS]?: ReadonlySet<string>
}

/** The prototypes of this copy of the package, by their brands. */
const prototypes = new Map<string, object>()

/**
 * Makes `instanceof` check a mark instead of the prototype, so that an object of another copy is an instance. Subclasses that are not marked
 * themselves are compared by prototype, as usual.
 * @param brandName unique in the package
 */
export function brand(branded: Class, brandName: string): void {
  const above = (branded.prototype as Branded)[BRANDS] ?? []
  Object.defineProperty(branded.prototype, BRANDS, { value: new Set([brandName, ...above]) })
  prototypes.set(brandName, branded.prototype)
  Object.defineProperty(branded, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (typeof value !== 'object' || value === null) return false
      if (this !== branded) return Function.prototype[Symbol.hasInstance].call(this as Class, value)
      return (value as Branded)[BRANDS]?.has(brandName) ?? false
    },
  })
}

/** Brands classes by their names, which they also show: a bundler may have given them others. A class comes after its base. */
export function brandAll(room: string, classes: Readonly<Record<string, Class>>): void {
  for (const [name, Class] of Object.entries(classes)) {
    brand(Class, `${room}.${name}`)
    // Only if the name differs: V8 is slower in making objects of a class whose name was set.
    if (Class.name !== name) Object.defineProperty(Class, 'name', { value: name })
  }
}

/** The brand of an object's class, or of the nearest branded class above it. Undefined for an object of no branded class. */
export function brandOf(value: object): string | undefined {
  const [own] = (value as Branded)[BRANDS] ?? []
  return own
}

/** The prototype that this copy of the package has for an object of another copy. Undefined for an object of no branded class. */
export function prototypeHere(value: object): object | undefined {
  const prototype: Branded | null = Object.getPrototypeOf(value)
  if (!prototype || !Object.hasOwn(prototype, BRANDS)) return undefined
  const [own = ''] = prototype[BRANDS]!
  return prototypes.get(own)
}
