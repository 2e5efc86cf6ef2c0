/** Differences between versions of one library: a method or a parameter that only some of them have. */
import { cell, versionsOf } from '../../rules/index.js'
import type { Reason } from '../compare/divergence.js'
import {
  bind,
  type Library,
  type PythonCall,
  SignatureError,
  type SignatureProblem,
} from './python-signatures.js'

/**
 * Used only if there is no other explanation of a difference.
 * @param source the library whose program makes the call
 */
export function surfaceReasons(library: Library, source: Library, call: PythonCall): readonly Reason[] {
  // Its parsing of the replies fails on Python 3 (docs/reference/python-memcached.md#13.1).
  if (call.call === 'get_slabs' && onPython2(library) !== onPython2(source)) return [onlyHere]
  const here = parametersOf(library, call)
  const one = library.name === source.name && library.version === source.version
  if (one || here === parametersOf(source, call)) {
    const fits = (version: string) => !(parametersOf({ ...library, version }, call) in problems)
    if (!(here in problems) || !versionsOf('python-memcached').some(fits)) return []
  }
  return [
    { switch: call.call === 'get' ? 'get-default' : 'version-surface', how: 'signature', fallback: true },
  ]
}

const onlyHere: Reason = { switch: 'version-surface', how: 'signature', fallback: true }

function onPython2({ name, version }: Library): boolean {
  return cell('python', name, version) === 2
}

const problems = { '!method': true, '!argument': true, '!form': true } satisfies Record<
  `!${SignatureProblem}`,
  true
>

/** The parameters that the call gives, or the kind of mismatch. */
function parametersOf(library: Library, call: PythonCall): string {
  try {
    return Object.keys(bind(library, call)).join()
  } catch (error) {
    if (error instanceof SignatureError) return `!${error.problem}`
    throw error
  }
}
