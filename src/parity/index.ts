/** The functions of `memshim parity`, which compares memshim with a library on the user's machine. */
export { memcachedOnPath } from './memcached.js'
export { compareLibrary, type ParityReport, shippedScenarios } from './parity.js'
export {
  InterpreterError,
  inspectInterpreter,
  type PythonLibraryName,
} from './python-library.js'
export { embeddedServers, realServers, type ServerKind } from './stage.js'
