/** memshim's own version, from its package.json (two folders up from both src/audit and dist/audit). */
import { readFileSync } from 'node:fs'

/** The version of this package. */
export function memshimVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}
