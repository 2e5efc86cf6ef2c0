/** Python's binding of arguments to the signatures of the libraries. Source: docs/reference/pylibmc.md#5, docs/reference/python-memcached.md#10. */
import { type Signature, signatureOf } from '../../rules/signatures.js'

/** The Python libraries whose calls can be replayed. */
export type LibraryName = 'pylibmc' | 'python-memcached' | 'pymemcache'

/** A Python library at one version. The version decides which parameters exist. */
export interface Library {
  readonly name: LibraryName
  readonly version: string
}

/** A Python call. Values are the lossless tree of `fromTypedJson`. */
export interface PythonCall {
  readonly call: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  /** A framework makes the call. Its backend for another library makes the same call in that library's form. */
  readonly byFramework?: boolean
}

/** Arguments by parameter name; a parameter that was not given is absent. */
export type Bound = Readonly<Record<string, unknown>>

/** The kind of mismatch between a call and a signature. */
export type SignatureProblem = 'method' | 'argument' | 'form'

/** Python's error for a call that does not fit the signature, with the kind of mismatch as data. */
export class SignatureError extends TypeError {
  override readonly name = 'SignatureError'
  readonly python: string
  constructor(
    message: string,
    /**
     * `method`: there is no such method; `argument`: no such parameter; `form`: an existing parameter is given by keyword where
     * only a position counts, under another name, twice, or not at all.
     */
    readonly problem: SignatureProblem,
    /** The keyword that the signature does not have. */
    readonly unknown?: string,
  ) {
    super(message)
    this.python = problem === 'method' ? 'builtins.AttributeError' : 'builtins.TypeError'
  }
}

/** Parameters that only have another name in the other library. */
const renamed: ReadonlySet<string> = new Set([
  'mapping',
  'keys',
  'seconds',
  'arg',
  'stat_args',
  'val',
  'value',
])

/** A cache by library object, because an audit needs each signature several times. */
const signatures = new WeakMap<Library, Map<string, Signature | undefined>>()

function signatureIn(library: Library, call: string): Signature | undefined {
  let known = signatures.get(library)
  if (!known) {
    known = new Map()
    signatures.set(library, known)
  }
  const found = known.get(call)
  if (found || known.has(call)) return found
  const signature = call === '__init__' ? undefined : signatureOf(library.name, library.version, call)
  if (known.size < MOST_NAMES) known.set(call, signature)
  return signature
}

/** Names of methods that are remembered: a trace may name any. */
const MOST_NAMES = 200

/** @throws SignatureError: AttributeError when the library has no such method, TypeError when the arguments do not fit it: as Python. */
export function bind(library: Library, { call, args, kwargs }: PythonCall): Bound {
  const found = signatureIn(library, call)
  if (!found) throw new SignatureError(`'Client' object has no attribute '${call}'`, 'method')
  const { parameters, required, positionalOnly } = found
  const names = Object.keys(kwargs)
  if (positionalOnly && names.length > 0) {
    const unknown = names.some(
      (name) => !parameters.includes(name) && !renamed.has(name) && !(name === 'time' && call === 'touch'),
    )
    throw new SignatureError(`${call}() takes no keyword arguments`, unknown ? 'argument' : 'form')
  }
  if (args.length > parameters.length) {
    const message = `${call}() takes at most ${parameters.length} arguments (${args.length} given)`
    throw new SignatureError(message, 'argument')
  }
  const bound: Record<string, unknown> = {}
  for (let i = 0; i < args.length; i++) bound[parameters[i]!] = args[i]
  for (const name of names) {
    if (!parameters.includes(name))
      throw new SignatureError(
        `${call}() got an unexpected keyword argument '${name}'`,
        renamed.has(name) ? 'form' : 'argument',
        name,
      )
    if (name in bound)
      throw new SignatureError(`${call}() got multiple values for argument '${name}'`, 'form')
    bound[name] = kwargs[name]
  }
  for (let i = args.length; i < required; i++)
    if (!(parameters[i]! in bound)) throw missingArguments(call, parameters.slice(0, required), bound)
  return bound
}

function missingArguments(call: string, required: readonly string[], bound: Bound): SignatureError {
  const missing = required.filter((name) => !(name in bound))
  return new SignatureError(`${call}() missing required argument: '${missing.join("', '")}'`, 'form')
}
