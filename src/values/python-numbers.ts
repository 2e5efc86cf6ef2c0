/** Decimal, Fraction, UUID, range and slice of Python's standard library. */

const DECIMAL = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|s?nan\d*)$/i

/** `decimal.Decimal` by its text, which is exact. */
export class PyDecimal {
  /** @throws RangeError for what is no decimal number in Python */
  constructor(readonly text: string) {
    if (!DECIMAL.test(text)) throw new RangeError(`${JSON.stringify(text.slice(0, 80))} is no decimal number`)
  }
  /** As Python's str() writes it. */
  toString(): string {
    return this.text
  }
}

/** `fractions.Fraction`. */
export class PyFraction {
  /** @throws RangeError when the denominator is not positive */
  constructor(
    readonly numerator: bigint,
    readonly denominator: bigint,
  ) {
    if (denominator <= 0n) throw new RangeError(`denominator must be positive, not ${denominator}`)
  }
  /** As Python's str() writes it. */
  toString(): string {
    return this.denominator === 1n ? `${this.numerator}` : `${this.numerator}/${this.denominator}`
  }
}

const UUID_TEXT = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

/** `uuid.UUID`. */
export class PyUuid {
  /** 128 bits. */
  readonly int: bigint
  /** @param text 32 hexadecimal digits, with or without hyphens @throws RangeError */
  constructor(
    text: string,
    /** `UUID.is_safe`: 0 safe, −1 unsafe; undefined = unknown. */
    readonly isSafe?: number,
  ) {
    if (!UUID_TEXT.test(text)) throw new RangeError(`${JSON.stringify(text.slice(0, 80))} is no UUID`)
    this.int = BigInt(`0x${text.replaceAll('-', '')}`)
  }
  static fromInt(int: bigint, isSafe?: number): PyUuid {
    if (int < 0n || int >= 1n << 128n) throw new RangeError(`a UUID has 128 bits, ${int} has not`)
    return new PyUuid(int.toString(16).padStart(32, '0'), isSafe)
  }
  /** As Python's str() writes it. */
  toString(): string {
    const hex = this.int.toString(16).padStart(32, '0')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }
}

/** `range(start, stop, step)`. */
export class PyRange {
  constructor(
    readonly start: number | bigint,
    readonly stop: number | bigint,
    readonly step: number | bigint = 1,
  ) {}
}

/** `slice(start, stop, step)`; each of them may be anything, mostly an integer or null. */
export class PySlice {
  constructor(
    readonly start: unknown,
    readonly stop: unknown,
    readonly step: unknown = null,
  ) {}
}
