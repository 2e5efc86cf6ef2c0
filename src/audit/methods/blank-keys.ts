/**
 * pylibmc's outcomes for keys with blanks over the text protocol: it sends them unchecked, and the server takes the words for
 * separate arguments. Our client refuses these keys, so the outcome is computed here from the outcomes of the words.
 * Source: docs/reference/pylibmc.md#3.4; measured on pylibmc 1.6.3 with memcached 1.6.18 (`fixtures/vectors/calling-forms.json`).
 */
import { MAX_KEY_LENGTH } from '../../ground/limits.js'
import type { Client as StrictClient } from '../../strict/index.js'
import { toTypedJson } from '../../values/index.js'
import { type Outcome, returned } from '../compare/outcome.js'
import { itemsOf } from './conversions.js'
import { refusedData, type UncheckedKeyOutcome } from './out-of-step.js'
import type { Bound } from './python-signatures.js'

const missing = Symbol('missing')
const stores = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas'])
const multiStores = new Set(['set_multi', 'add_multi'])

/** Words of a key as the server reads them; undefined for a key of one word. */
function wordsOf(key: string): readonly string[] | undefined {
  return key.includes(' ') ? key.split(' ').filter((word) => word !== '') : undefined
}

/** Text of a key; undefined when it is neither text nor bytes. */
function keyText(key: unknown): string | undefined {
  if (typeof key === 'string') return key
  return key instanceof Uint8Array ? Buffer.from(key).toString('utf8') : undefined
}

/**
 * The outcome of a call in which a key, prefix included, holds a blank; undefined for any other call.
 * @param bound the call's arguments as pylibmc understands them
 * @param again makes the same method's call with other arguments
 */
export async function blankKeyOutcome(
  client: StrictClient,
  call: string,
  bound: Bound,
  again: (bound: Bound) => Promise<Outcome>,
): Promise<UncheckedKeyOutcome | undefined> {
  const prefix = keyText(bound.key_prefix) ?? ''
  const inStep = (outcome: Outcome): UncheckedKeyOutcome => ({ outcome, outOfStep: [] })
  if ('key' in bound) {
    const key = keyText(bound.key)
    const words = key === undefined || key.length > MAX_KEY_LENGTH ? undefined : wordsOf(key)
    if (!words) return undefined
    if (call === 'get' || call === 'gets') return inStep(await retrieved(client, call, key!, words, bound))
    if (words.length === 1) {
      const found = client.hash(words[0]!) === client.hash(key!)
      return inStep(found ? await again({ ...bound, key: words[0] }) : elsewhere(call))
    }
    if (call === 'cas' && isTooLong(bound.cas))
      return inStep({ raises: { class: 'pylibmc.AllocationError', retcode: 17 } })
    if (stores.has(call))
      return {
        outcome: refused(words.length === 2 ? 2 : 0),
        outOfStep: [[client.hash(key!), refusedData(bound.val)]],
      }
    if (call === 'delete') return inStep(await deleted(words, again))
    if (call === 'touch' || call === 'incr' || call === 'decr')
      return inStep(refused(words.length === 2 ? 2 : 0))
    return undefined
  }
  const keys = itemsOf(bound.keys)
  const texts = keys?.map(keyText)
  if (!keys || !texts?.some((text) => text !== undefined && wordsOf(prefix + text))) return undefined
  if (texts.some((text) => text === undefined || (prefix + text).length > MAX_KEY_LENGTH)) return undefined
  const full = texts.map((text) => prefix + text)
  if (call === 'get_multi') return inStep(await retrievedMany(client, keys, full, prefix))
  const first = full.findIndex((key) => wordsOf(key))
  if (call === 'delete_multi') {
    if (first > 0) await again({ ...bound, keys: keys.slice(0, first) })
    const outcome = await deleted(wordsOf(full[first]!)!, (one) =>
      again({ ...bound, keys: [String(one.key).slice(prefix.length)] }),
    )
    if ('raises' in outcome) return inStep(outcome)
    const rest = await again({ ...bound, keys: keys.slice(first + 1) })
    return inStep('raises' in rest || outcome.result === true ? rest : { result: false })
  }
  if (multiStores.has(call) && bound.keys instanceof Map) {
    const before = new Map([...bound.keys].slice(0, first))
    const words = wordsOf(full[first]!)!
    if (words.length === 1) return undefined
    if (before.size > 0) {
      const outcome = await again({ ...bound, keys: before })
      if ('raises' in outcome) return inStep(outcome)
    }
    const left = refusedData([...bound.keys.values()][first])
    return { outcome: refused(words.length), outOfStep: [[client.hash(full[first]!), left]] }
  }
  return undefined
}

/** The values of those words that are on the server of the whole key. */
async function valuesOf(
  client: StrictClient,
  key: string,
  words: readonly string[],
): Promise<[string, unknown][]> {
  const found: [string, unknown][] = []
  for (const word of words) {
    if (client.hash(word) !== client.hash(key)) continue
    const value = await client.get<unknown>(word, missing)
    if (value !== missing) found.push([word, value])
  }
  return found
}

async function retrieved(
  client: StrictClient,
  call: string,
  key: string,
  words: readonly string[],
  bound: Bound,
): Promise<Outcome> {
  const values = await valuesOf(client, key, words)
  if (call === 'get') return returned(values.length > 0 ? values[0]![1] : bound.default)
  if (values.length > 1) return { raises: { class: 'builtins.RuntimeError', message: 'fetch not done' } }
  if (values.length === 0) return { result: { $tuple: [null, null] } }
  const [value, unique] = await client.gets(values[0]![0])
  return { result: { $tuple: [toTypedJson(value), toTypedJson(unique)] } }
}

async function retrievedMany(
  client: StrictClient,
  keys: readonly unknown[],
  full: readonly string[],
  prefix: string,
): Promise<Outcome> {
  const found: [string, unknown][] = []
  for (const key of full) found.push(...(await valuesOf(client, key, wordsOf(key) ?? [key])))
  if (found.length > keys.length)
    return { raises: { class: 'process.abort', message: 'more replies than keys: the process ends' } }
  const dict = new Map<unknown, unknown>()
  for (const [word, value] of found) {
    if (word.length < Buffer.byteLength(prefix))
      return { raises: { class: 'builtins.SystemError', message: 'a reply is shorter than the prefix' } }
    const name = Buffer.from(word).subarray(Buffer.byteLength(prefix))
    const asked = keys.find((key) => typeof key === 'string' && Buffer.from(key).equals(name))
    dict.set(asked ?? name, value)
  }
  return returned(dict)
}

/** The server accepts a `0` after the key, an old form; it also accepts `noreply`, and pylibmc then waits for its timeout. */
async function deleted(
  words: readonly string[],
  again: (bound: Bound) => Promise<Outcome>,
): Promise<Outcome> {
  if (words.length === 1) return again({ key: words[0] })
  if (words.length === 2 && words[1] === '0') return again({ key: words[0] })
  if (words.length === 2 && words[1] === 'noreply') {
    await again({ key: words[0] })
    return { raises: { class: 'pylibmc.Error' } }
  }
  return refused(words.length === 2 || words.length === 3 ? 2 : 0)
}

/** The word as a key on the server of the whole key, where it is never stored: the item does not exist. */
function elsewhere(call: string): Outcome {
  if (call === 'incr' || call === 'decr' || call === 'cas')
    return { raises: { class: 'pylibmc.NotFound', retcode: 16, message: '1 keys not found' } }
  return { result: call === 'set' || call === 'add' }
}

/** A CAS unique of 20 digits does not fit into libmemcached's buffer, which it notices before it sends anything. */
function isTooLong(unique: unknown): boolean {
  return BigInt.asUintN(64, BigInt(unique as bigint)) >= 10n ** 19n
}

/** With one word too many the server refuses the command line, with more (or none) it does not know the command. */
function refused(words: number): Outcome {
  return words === 2
    ? {
        raises: { class: 'pylibmc.ClientError', retcode: 9, message: 'CLIENT_ERROR bad command line format' },
      }
    : { raises: { class: 'pylibmc.SocketCreateError', retcode: 11, message: 'ERROR' } }
}
