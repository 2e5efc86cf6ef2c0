/** Decimal, Fraction, UUID, range and slice of Python's standard library. */

import { checkText, shown } from '../../ground/arguments.js'
import { brandAll } from '../../ground/brand.js'
import { integerRepr } from '../../python/repr.js'
import { DESCRIBE, type Description } from '../describe.js'
import { JSON_OF, PythonContainer, PythonValue } from './python-value.js'

const DECIMAL = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|s?nan\d*)$/i

/** `decimal.Decimal`, kept as its text, which is exact. */
export class PyDecimal extends PythonValue {
  /** @throws TypeError for a value that is not text; RangeError for a value that is not a decimal number in Python */
  constructor(readonly text: string) {
    super()
    checkText('a Decimal', text)
    if (!DECIMAL.test(text))
      throw new RangeError(`${JSON.stringify(text.slice(0, 80))} is not a decimal number`)
  }
  /** As Python's str() writes it. */
  override toString(): string {
    return this.text
  }
  /** As text: a number would lose digits. */
  toJSON(): string {
    return this.text
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.add(`Decimal('${this.text}')`)
  }
}

/** `fractions.Fraction`. */
export class PyFraction extends PythonValue {
  /** @throws TypeError for a value that is not a bigint; RangeError when the denominator is not positive */
  constructor(
    readonly numerator: bigint,
    readonly denominator: bigint,
  ) {
    super()
    for (const part of [numerator, denominator])
      if (typeof part !== 'bigint')
        throw new TypeError(`a Fraction is made of two bigints, not of ${shown(part)}`)
    if (denominator <= 0n)
      throw new RangeError(`denominator must be positive, not ${integerRepr(denominator)}`)
  }
  /** As Python's str() writes it. */
  override toString(): string {
    const numerator = integerRepr(this.numerator)
    return this.denominator === 1n ? numerator : `${numerator}/${integerRepr(this.denominator)}`
  }
  /** `1/3`. */
  toJSON(): string {
    return this.toString()
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.add(`Fraction(${integerRepr(this.numerator)}, ${integerRepr(this.denominator)})`)
  }
}

const UUID_TEXT = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/** `uuid.UUID`. */
export class PyUuid extends PythonValue {
  /** 128 bits. */
  readonly int: bigint
  /** @param text 32 hexadecimal digits, with or without hyphens @throws TypeError for a value that is not text; RangeError for other text */
  constructor(
    text: string,
    /** `UUID.is_safe`: 0 safe, −1 unsafe; undefined = unknown. */
    readonly isSafe?: number,
  ) {
    super()
    checkText('a UUID', text)
    if (!UUID_TEXT.test(text)) throw new RangeError(`${JSON.stringify(text.slice(0, 80))} is not an UUID`)
    this.int = BigInt(`0x${text.replaceAll('-', '')}`)
  }
  /** @throws RangeError unless it has 128 bits */
  static fromInt(int: bigint, isSafe?: number): PyUuid {
    return uuidFromInt(int, isSafe)
  }
  /** As Python's str() writes it. */
  override toString(): string {
    const hex = this.int.toString(16).padStart(32, '0')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }
  /** As Python's str() writes it. */
  toJSON(): string {
    return this.toString()
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.add(`UUID('${this}')`)
  }
}

// Set outside of the class: a bundler renames a class that refers to itself to `_PyUuid`.
function uuidFromInt(int: bigint, isSafe: number | undefined): PyUuid {
  if (int < 0n || int >= 1n << 128n) throw new RangeError(`a UUID has 128 bits, ${integerRepr(int)} has not`)
  return new PyUuid(int.toString(16).padStart(32, '0'), isSafe)
}

/** `range(start, stop, step)`. */
export class PyRange extends PythonValue {
  constructor(
    readonly start: number | bigint,
    readonly stop: number | bigint,
    readonly step: number | bigint = 1,
  ) {
    super()
  }
  /** `range(0, 3)`. */
  toJSON(): string {
    return this.toString()
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    const { start, stop, step } = this
    const parts = BigInt(step) === 1n ? [start, stop] : [start, stop, step]
    into.items('range(', parts, ')')
  }
}

/** `slice(start, stop, step)`. Each part may be any value; usually it is an integer or null. */
export class PySlice extends PythonContainer {
  constructor(
    readonly start: unknown,
    readonly stop: unknown,
    readonly step: unknown = null,
  ) {
    super()
  }
  /** @internal */
  [JSON_OF](inside: (value: unknown) => unknown): unknown {
    return { start: inside(this.start), stop: inside(this.stop), step: inside(this.step) }
  }
  /** @internal */
  override [DESCRIBE](into: Description): void {
    into.items('slice(', [this.start, this.stop, this.step], ')')
  }
}

brandAll('values', { PyDecimal, PyFraction, PyUuid, PyRange, PySlice })
