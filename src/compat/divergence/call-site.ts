/** The calling line of the application, found across the promises of this package. */
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(import.meta.url)
/** The innermost `src` or `dist` folder around this file. In a bundle outside of both, the bundle itself. */
const own = /^.*[\\/](?:src|dist)[\\/]/s.exec(here)?.[0] ?? here
/** The largest number of stack frames between an announcement and the application. */
const DEPTH = 50

/** `file:line:column` of the nearest frame outside of this package, undefined when the stack does not reach it. */
export function callSite(): string | undefined {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = DEPTH
  const stack = new Error('call site').stack ?? ''
  Error.stackTraceLimit = before
  for (const line of stack.split('\n').slice(1)) {
    const [, place] = /(?:\(|at (?:async )?)((?:file:\/\/)?\/?[^()]*:\d+:\d+)\)?$/.exec(line) ?? []
    if (place === undefined || place.startsWith('node:')) continue
    const path = place.startsWith('file:') ? place.slice('file://'.length) : place
    if (isOwn(path)) continue
    return path
  }
  return undefined
}

/** Tests beside the code count as users of the package. */
function isOwn(path: string): boolean {
  return path.startsWith(own) && !/\.test\.[jt]s:/.test(path)
}
