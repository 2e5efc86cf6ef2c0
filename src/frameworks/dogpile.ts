/** Keys of dogpile.cache and Beaker. Source: fixtures/vectors/frameworks.json (dogpile.cache 1.3, Beaker 1.13). */
import { createHash } from 'node:crypto'
import { checkArray, checkObject, checkText } from '../ground/arguments.js'

/**
 * What `cache_on_arguments` makes of a call: `module:function|argument argument`, with a namespace
 * `module:function|namespace|…`.
 * @param args as Python's str() shows them
 * @throws TypeError for other types
 */
export function dogpileKey(
  called: { readonly module: string; readonly name: string; readonly namespace?: string },
  args: readonly string[],
): string {
  checkObject('called', called)
  const { module, name, namespace } = called
  checkText('module', module)
  checkText('name', name)
  if (namespace !== undefined) checkText('namespace', namespace)
  checkArray('args', args)
  for (const [index, arg] of args.entries()) checkText(`args[${index}]`, arg)
  const own = `${module}:${name}${namespace === undefined ? '' : `|${namespace}`}`
  return `${own}|${args.join(' ')}`
}

/** `sha1_mangle_key`: what memcached regions usually set as key_mangler, since the keys above hold blanks. */
export function dogpileSha1(key: string): string {
  checkText('key', key)
  return createHash('sha1').update(key).digest('hex')
}

const LONGEST_KEY = 250

/** `namespace_key`, blanks replaced; the SHA-1 of it over 250 characters. Other control characters stay as they are. */
export function beakerKey(namespace: string, key: string): string {
  checkText('namespace', namespace)
  checkText('key', key)
  // Beaker writes the two bytes of a middle dot as two characters.
  const made = `${namespace}_${key}`.replaceAll(' ', '\u00c2\u00b7')
  return [...made].length > LONGEST_KEY ? createHash('sha1').update(made).digest('hex') : made
}
