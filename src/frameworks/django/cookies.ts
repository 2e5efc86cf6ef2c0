/** The cookies of a stored page: Python's SimpleCookie, whose Morsels become headers. Source: fixtures/vectors/framework-values.json and CPython's http.cookies. */
import { PyFloat, PythonObject } from '../../values/index.js'

/** The attributes by their names in a Morsel. A flag is written as its name alone. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  comment: 'Comment',
  domain: 'Domain',
  expires: 'expires',
  httponly: 'HttpOnly',
  'max-age': 'Max-Age',
  partitioned: 'Partitioned',
  path: 'Path',
  samesite: 'SameSite',
  secure: 'Secure',
  version: 'Version',
}
const FLAGS = new Set(['httponly', 'partitioned', 'secure'])

/** Each cookie as the text of `Morsel.OutputString()`, sorted by name like those of `SimpleCookie.output()`. */
export function readCookies(cookies: unknown): string[] {
  const morsels = cookies instanceof PythonObject ? itemsOf(cookies) : cookies instanceof Map ? cookies : []
  return Array.from(morsels, ([, morsel]) => morsel)
    .filter((morsel) => morsel instanceof PythonObject)
    .map(headerValue)
    .sort()
}

function headerValue(morsel: PythonObject): string {
  const { attributes } = morsel
  const parts = [`${attributes.get('key')}=${attributes.get('coded_value')}`]
  const given = new Map(itemsOf(morsel))
  for (const [name, written] of Object.entries(ATTRIBUTES)) {
    const value = given.get(name)
    if (value === undefined || value === '') continue
    if (!FLAGS.has(name)) parts.push(`${written}=${numberOrText(value)}`)
    else if (value) parts.push(written)
  }
  return parts.join('; ')
}

/** `%d` of a float. */
const numberOrText = (value: unknown): string =>
  String(value instanceof PyFloat ? Math.trunc(value.value) : value)

/** The items of an instance of a subclass of dict, from the form of any pickle protocol. */
function itemsOf({ dictItems, how, args }: PythonObject): Iterable<readonly [unknown, unknown]> {
  return how === 'base' && args[0] instanceof Map ? [...args[0], ...dictItems] : dictItems
}
