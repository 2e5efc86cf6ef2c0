/** Opcodes whose arguments are lines of text: protocol 0, and byte strings of Python 2. */
import { PyFloat } from '../../classes/built-ins.js'
import { op } from '../opcodes.js'
import { parseFloatText, parseIntegerText, unescapeString, unescapeUnicode, utf8Text } from '../text.js'
import type { Machine } from './machine.js'

const VALUE_ERROR = 'builtins.ValueError'
const UNICODE_ERROR = 'builtins.UnicodeDecodeError'

/** @returns false for a byte that is none of these opcodes */
export function textOpcode(m: Machine, code: number): boolean {
  switch (code) {
    case op.INT: {
      const small = m.digits()
      if (small >= 0) {
        m.push(small)
        return true
      }
      const text = m.line()
      if (text === '01' || text === '00') m.push(text === '01')
      else m.push(m.checked(parseIntegerText(text), `${shown(text)} is not an integer`, VALUE_ERROR))
      return true
    }
    case op.LONG: {
      const text = m.line()
      m.push(
        m.checked(parseIntegerText(text.replace(/L$/, '')), `${shown(text)} is not an integer`, VALUE_ERROR),
      )
      return true
    }
    case op.FLOAT: {
      const text = m.line()
      const value = m.checked(parseFloatText(text), `${shown(text)} is not a float`, VALUE_ERROR)
      m.push(m.preserve ? new PyFloat(value) : value)
      return true
    }
    case op.STRING: {
      const text = m.line()
      m.spend(text.length)
      m.push(byteString(m, m.checked(unescapeString(text), `${shown(text)} is not a quoted string`)))
      return true
    }
    case op.BINSTRING:
      m.push(byteString(m, m.slice(m.length4())))
      return true
    case op.SHORT_BINSTRING:
      m.push(byteString(m, m.slice(m.u8())))
      return true
    case op.UNICODE: {
      const text = m.line()
      m.spend(2 * text.length)
      m.push(m.checked(unescapeUnicode(text), `${shown(text)} has a broken escape`, UNICODE_ERROR))
      return true
    }
    case op.PUT:
      m.put(index(m))
      return true
    case op.GET:
      m.get(index(m))
      return true
    default:
      return false
  }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
}

function index(m: Machine): number {
  const small = m.digits()
  if (small >= 0) return small
  const text = m.line()
  if (!/^\d{1,10}$/.test(text)) throw m.error(`${shown(text)} is not a memo index`, VALUE_ERROR)
  return Number(text)
}

/** Python 2's `str`, decoded as the option `encoding` says. */
function byteString(m: Machine, bytes: Buffer): unknown {
  const encoding = m.options.encoding ?? 'ascii'
  m.spend(encoding === 'utf8' ? 2 * bytes.length : bytes.length)
  if (encoding === 'bytes') return Buffer.from(bytes)
  if (encoding === 'latin1') return bytes.toString('latin1')
  if (encoding === 'utf8') return m.checked(utf8Text(bytes), 'a byte string that is not UTF-8', UNICODE_ERROR)
  const bad = bytes.findIndex((byte) => byte > 0x7f)
  if (bad < 0) return bytes.toString('latin1')
  throw m.error(
    `byte 0x${bytes[bad]!.toString(16)} in position ${bad} of a Python 2 string is not ascii (see the option encoding)`,
    UNICODE_ERROR,
  )
}
