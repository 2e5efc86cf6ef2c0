/**
 * The items of `cache_page` and Django's cache middleware: the headers that a page varies on, and the page.
 * Source: fixtures/vectors/framework-values.json (Django 3.2 to 6.1.3).
 */
import { createHash } from 'node:crypto'
import { checkArray, checkObject, checkText } from '../../ground/arguments.js'
import { UnicodeEncodeError } from '../../python/errors.js'
import { ownOptions } from '../../python/options.js'
import { isAscii } from '../../python/text.js'
import { PyTuple, PythonObject } from '../../values/index.js'
import { readCookies } from './cookies.js'
import { updateWithText } from './keys.js'
import { type DjangoReleaseOption, djangoHas } from './versions.js'

/** The part of a request that Django's cache uses. */
export interface DjangoPageRequest extends DjangoReleaseOption {
  /** The result of `request.build_absolute_uri()`, query included: `https://shop.example/lamps/?page=2`. */
  readonly url: string
  /** Default `GET`. */
  readonly method?: 'GET' | 'HEAD'
  /** Headers by name, in upper or lower case: those of Node's `request.headers`, or a `Headers`. Only those that the page varies on count. */
  readonly headers?:
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | Iterable<readonly [string, string]>
  /** `key_prefix` of the decorator, or `CACHE_MIDDLEWARE_KEY_PREFIX`. Default none. */
  readonly keyPrefix?: string | undefined
  /** The active language, `en-us`; null when `USE_I18N` is False. */
  readonly language: string | null
  /** The current time zone's name, `UTC`; null when `USE_TZ` is False. */
  readonly timeZone: string | null
}

/** A page of Django's cache. */
export interface DjangoPage {
  readonly status: number
  /** The names are spelled as in the view. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The cookies that the page sets, each as the value of a header `Set-Cookie`. */
  readonly cookies: readonly string[]
  readonly body: Buffer
}

/**
 * The key of the list of headers that a page varies on, in the form `HTTP_ACCEPT_ENCODING`. `djangoPageKey` needs this list.
 * @throws TypeError for missing or unknown members and other types; UnicodeEncodeError for an URL that is not ASCII
 */
export function djangoPageHeaderKey(request: DjangoPageRequest): string {
  const { keyPrefix, url } = checked(request)
  return `views.decorators.cache.cache_header.${keyPrefix}.${md5(url)}${suffix(request)}`
}

/**
 * The key of the page itself.
 * @param varyOn the item under `djangoPageHeaderKey`
 * @throws TypeError for missing or unknown members and other types; UnicodeEncodeError for an URL that is not ASCII; ValueError for a `django`
 *   that is not a version
 */
export function djangoPageKey(request: DjangoPageRequest, varyOn: readonly string[]): string {
  const { keyPrefix, url, method, headers } = checked(request)
  checkArray('varyOn', varyOn)
  const hash = createHash('md5')
  const [lengths, absentHeaders] = [djangoHas('lengths', request), djangoHas('absentHeaders', request)]
  for (const [index, name] of varyOn.entries()) {
    checkText(`varyOn[${index}]`, name)
    const value = headers.get(name)
    if (value === undefined && absentHeaders) hash.update('-,')
    else updateWithText(hash, value ?? '', lengths)
  }
  const page = [keyPrefix, method, md5(url), hash.digest('hex')].join('.')
  return `views.decorators.cache.cache_page.${page}${suffix(request)}`
}

/** The statuses of Django's classes whose instances do not store one. */
const STATUSES: Readonly<Record<string, number>> = {
  HttpResponsePermanentRedirect: 301,
  HttpResponseRedirect: 302,
  HttpResponseNotModified: 304,
  HttpResponseBadRequest: 400,
  HttpResponseForbidden: 403,
  HttpResponseNotFound: 404,
  HttpResponseNotAllowed: 405,
  HttpResponseGone: 410,
  HttpResponseServerError: 500,
}

/**
 * Reads the page in a stored HttpResponse or an instance of a subclass, such as Django REST framework's; undefined for other values. If an
 * application's own subclass has the status in the class, the result is 200. To read the pages of Python 2, give the client `encoding: 'latin1'`.
 */
export function readDjangoPage(value: unknown): DjangoPage | undefined {
  if (!(value instanceof PythonObject)) return undefined
  const { attributes, className } = value
  const headers = attributes.get('headers')
  // Before 3.2 Django stored the names and values directly.
  const store =
    headers instanceof PythonObject ? headers.attributes.get('_store') : attributes.get('_headers')
  const content = attributes.get('_container')
  if (!(store instanceof Map) || !Array.isArray(content)) return undefined
  const status = attributes.get('status_code') ?? STATUSES[className.split('.').at(-1)!] ?? 200
  return {
    status: Number(status),
    headers: Array.from(store.values(), pair),
    cookies: readCookies(attributes.get('cookies')),
    body: Buffer.concat(content.map(bytesOf)),
  }
}

/** SafeString, by its older names too. */
const SAFE = /^django\.utils\.safestring\.Safe(String|Text|Unicode)$/

/** The text of a str or SafeString, such as a template fragment; undefined for other values. */
export function djangoText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (!(value instanceof PythonObject) || !SAFE.test(value.className)) return undefined
  const [text] = value.args
  return typeof text === 'string' ? text : undefined
}

/** Bytes of Python 2 were read as text with one character for each byte. */
const bytesOf = (part: unknown): Uint8Array =>
  part instanceof Uint8Array ? part : Buffer.from(typeof part === 'string' ? part : '', 'latin1')

function pair(stored: unknown): readonly [string, string] {
  const items = stored instanceof PyTuple ? stored.items : Array.isArray(stored) ? stored : []
  return [String(items[0]), String(items[1])]
}

const REQUEST_NAMES = ['url', 'method', 'headers', 'keyPrefix', 'language', 'timeZone', 'django']

/** A part of the key that is there if a setting of Django is True. */
function checkSetting(name: string, value: unknown): void {
  if (value === undefined)
    throw new TypeError(
      `${name} is missing: it is part of the key unless Django's setting is False, which null says`,
    )
  if (value !== null) checkText(name, value)
}

function checked(request: DjangoPageRequest) {
  checkObject('request', request)
  const {
    url,
    method = 'GET',
    keyPrefix = '',
    headers = {},
    language,
    timeZone,
  } = ownOptions(request, REQUEST_NAMES)
  for (const [name, value] of Object.entries({ url, method, keyPrefix })) checkText(name, value)
  for (const [name, value] of Object.entries({ language, timeZone })) checkSetting(name, value)
  checkObject('headers', headers)
  if (!isAscii(url))
    throw new UnicodeEncodeError("'ascii' codec can't encode the URL: it must be percent-encoded")
  return { url, method, keyPrefix, headers: environment(headers) }
}

/** The headers under their names in WSGI. Two of these names have no `HTTP_` before them. */
function environment(headers: NonNullable<DjangoPageRequest['headers']>): Map<string, string> {
  const named = new Map<string, string>()
  const entries = Symbol.iterator in headers ? headers : Object.entries(headers)
  for (const [name, given] of entries as Iterable<readonly [string, unknown]>) {
    const value = Array.isArray(given) ? given.join(',') : given
    if (value === undefined || /^content[-_](type|length)$/i.test(name)) continue
    checkText(`headers.${name}`, value)
    named.set(`HTTP_${name.toUpperCase().replaceAll('-', '_')}`, value)
  }
  return named
}

const suffix = ({ language, timeZone }: DjangoPageRequest): string =>
  [language, timeZone].map((part) => (part === null ? '' : `.${part}`)).join('')

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')
