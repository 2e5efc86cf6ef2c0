/** Facts about the bytes of a value, found without running a pickle: protocol, classes and byte strings of a pickle, digits, UTF-8. */
import { isUtf8 } from 'node:buffer'
import {
  decompress,
  disassemble,
  FLAG_INTEGER,
  FLAG_LONG,
  FLAG_PICKLE,
  FLAG_TEXT,
  FLAG_ZLIB,
} from '../values/index.js'

export interface ValueFacts {
  /** Bytes, inflated. */
  readonly length: number
  /** 0 to 5; undefined when it is not a pickle. */
  readonly pickleProtocol?: number
  /** `module.name` of the classes and functions that the pickle would import. */
  readonly classes: readonly string[]
  /** A byte string of Python 2 in the pickle; Python 3 cannot read `non-ASCII` ones as text. */
  readonly python2Strings?: 'ascii' | 'non-ASCII'
  /** The pickle is only True or False. */
  readonly bool?: boolean
  /** The pickle is only one text. */
  readonly pickledText?: boolean
  /** The digits of an integer. */
  readonly digits?: string
  readonly utf8: boolean
  /** The reason why the bytes cannot be read. */
  readonly broken?: string
}

/** The largest number of operations that are read of one pickle. */
const mostOperations = 100_000
const mostClasses = 50

/** Never throws: the field `broken` describes broken values. */
export function valueFacts(flags: number, data: Buffer): ValueFacts {
  let payload = data
  if (flags & FLAG_ZLIB) {
    try {
      payload = decompress(data, flags)
    } catch (error) {
      return { length: data.length, classes: [], utf8: false, broken: `zlib: ${reason(error)}` }
    }
  }
  const base = { length: payload.length, classes: [] as readonly string[], utf8: isUtf8(payload) }
  if (flags & FLAG_TEXT) return base.utf8 ? base : { ...base, broken: 'text that is not UTF-8' }
  if (flags & (FLAG_INTEGER | FLAG_LONG)) {
    const digits = /^\s*[+-]?\d+(?:_\d+)*\s*$/.exec(payload.toString('latin1', 0, 5000))?.[0]?.trim()
    return digits === undefined ? { ...base, broken: 'an integer without digits' } : { ...base, digits }
  }
  return flags & FLAG_PICKLE ? pickleFacts(payload, base) : base
}

function pickleFacts(payload: Buffer, base: ValueFacts): ValueFacts {
  const classes = new Set<string>()
  const texts: string[] = []
  let strings: ValueFacts['python2Strings']
  let count = 0
  let pickleProtocol = 0
  let bool = false
  let text = false
  const plain = new Set(['PROTO', 'FRAME', 'PUT', 'BINPUT', 'MEMOIZE', 'STOP'])
  let others = 0
  try {
    for (const { name, argument } of disassemble(payload)) {
      if (name === 'PROTO') pickleProtocol = Number(argument)
      else if (name === 'FRAME') pickleProtocol = Math.max(pickleProtocol, 4)
      else if (/^BIN|^SHORT_|^EMPTY_/.test(name) && pickleProtocol === 0) pickleProtocol = 1
      if (/^(GLOBAL|INST)$/.test(name) && typeof argument === 'string')
        add(classes, argument.replace(' ', '.'))
      if (name === 'STACK_GLOBAL') add(classes, texts.slice(-2).join('.'))
      if (/UNICODE/.test(name)) text = true
      if (!plain.has(name)) others++
      if (/UNICODE/.test(name) && typeof argument === 'string') {
        texts.push(argument)
        if (texts.length > 2) texts.shift()
      }
      if (/^(STRING|BINSTRING|SHORT_BINSTRING)$/.test(name) && typeof argument === 'string') {
        if (/[^\0-\x7f]/.test(argument)) strings = 'non-ASCII'
        else strings ??= 'ascii'
      }
      if (name === 'NEWTRUE' || name === 'NEWFALSE' || (name === 'INT' && typeof argument === 'boolean'))
        bool = true
      if (++count >= mostOperations) break
    }
  } catch (error) {
    return { ...base, classes: [...classes], broken: `pickle: ${reason(error)}` }
  }
  return {
    ...base,
    pickleProtocol,
    classes: [...classes],
    ...(strings ? { python2Strings: strings } : {}),
    ...(bool && others === 1 ? { bool } : {}),
    ...(text && others === 1 ? { pickledText: true } : {}),
  }
}

function add(classes: Set<string>, name: string): void {
  if (classes.size < mostClasses) classes.add(name.slice(0, 200))
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 200) : String(error)
}
