/**
 * Python's built-in exceptions where JavaScript has no class of the same meaning. Ported code and recordings name
 * them (`builtins.ValueError`); each extends the JavaScript class a Node user would catch.
 *
 * `pythonClass` returns the Python class of an error.
 */
import { brandAll } from '../ground/brand.js'

/** An error that stands for a Python exception class, with module: `builtins.ValueError`, `pylibmc.NotFound`. */
export interface PythonNamed {
  readonly python: string
}

/** `builtins.ValueError`: right type, impossible value. */
export class ValueError extends RangeError implements PythonNamed {
  override readonly name: string = 'ValueError'
  readonly python: string = 'builtins.ValueError'
}

/** `builtins.ZeroDivisionError`: a division by zero. */
export class ZeroDivisionError extends RangeError implements PythonNamed {
  override readonly name: string = 'ZeroDivisionError'
  readonly python: string = 'builtins.ZeroDivisionError'
}

/** `builtins.OverflowError`: an integer outside the allowed range. */
export class OverflowError extends RangeError implements PythonNamed {
  override readonly name: string = 'OverflowError'
  readonly python: string = 'builtins.OverflowError'
}

/** `builtins.SystemError`: a C function of the library raised while it reported success. */
export class SystemError extends Error implements PythonNamed {
  override readonly name = 'SystemError'
  readonly python = 'builtins.SystemError'
}

/** `builtins.KeyError`: unknown symbolic name or missing mapping key. */
export class KeyError extends RangeError implements PythonNamed {
  override readonly name: string = 'KeyError'
  readonly python: string = 'builtins.KeyError'
}

/** `builtins.IndexError`. */
export class IndexError extends RangeError implements PythonNamed {
  override readonly name: string = 'IndexError'
  readonly python: string = 'builtins.IndexError'
}

/** `builtins.LookupError`: a codec that Python does not have. */
export class LookupError extends RangeError implements PythonNamed {
  override readonly name: string = 'LookupError'
  readonly python: string = 'builtins.LookupError'
}

/** `builtins.AttributeError`: the object has no such attribute. */
export class AttributeError extends TypeError implements PythonNamed {
  override readonly name: string = 'AttributeError'
  readonly python: string = 'builtins.AttributeError'
}

/** `builtins.UnicodeEncodeError`: text with lone surrogates has no UTF-8 form. */
export class UnicodeEncodeError extends ValueError {
  override readonly name: string = 'UnicodeEncodeError'
  override readonly python: string = 'builtins.UnicodeEncodeError'
}

/** `builtins.UnicodeDecodeError`: bytes that are not UTF-8. */
export class UnicodeDecodeError extends ValueError {
  override readonly name: string = 'UnicodeDecodeError'
  override readonly python: string = 'builtins.UnicodeDecodeError'
}

/**
 * The Python class an error stands for: its own `python` field, else `builtins.TypeError` and `builtins.ValueError` for
 * JavaScript's TypeError and RangeError, else undefined.
 */
export function pythonClass(error: unknown): string | undefined {
  if (typeof error === 'object' && error !== null && 'python' in error && typeof error.python === 'string') {
    return error.python
  }
  if (error instanceof TypeError) return 'builtins.TypeError'
  if (error instanceof RangeError) return 'builtins.ValueError'
  return undefined
}

brandAll('python', {
  ValueError,
  ZeroDivisionError,
  OverflowError,
  SystemError,
  KeyError,
  IndexError,
  LookupError,
  AttributeError,
  UnicodeEncodeError,
  UnicodeDecodeError,
})
