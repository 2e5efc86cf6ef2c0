/** The table of signatures against the signatures that Python reports for the real libraries' clients. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { LibraryName } from './row.js'
import { signatureOf } from './signatures.js'

type Measured = Readonly<
  Record<LibraryName, Readonly<Record<string, Readonly<Record<string, string | null>>>>>
>
const measured = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'vectors', 'signatures.json'), 'utf8'),
) as Measured

const cases = Object.entries(measured).flatMap(([library, versions]) =>
  Object.keys(versions).map((version) => [library as LibraryName, version] as const),
)
/** Every method that any version of the library has. */
const methodsOf = (library: LibraryName) => new Set(Object.values(measured[library]).flatMap(Object.keys))

test.each(cases)('%s %s: every public method has the signature that Python reports', (library, version) => {
  for (const method of methodsOf(library)) {
    if (method.startsWith('_') && method !== '__init__' && method !== '_deletetouch') continue
    const said = measured[library][version]![method]
    const ours = signatureOf(library, version, method)
    if (said === undefined) expect(ours, method).toBeUndefined()
    else if (said === null) expect(ours, method).toBeDefined()
    else {
      const words = said.split(' ').filter(Boolean)
      expect(ours?.parameters, method).toEqual(words.map((word) => word.replace(/[[\]]/g, '')))
      expect(ours?.required, method).toBe(words.filter((word) => !word.startsWith('[')).length)
    }
  }
})
