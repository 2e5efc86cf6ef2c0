/** pymemcache's RetryingClient. Source: docs/reference/pymemcache.md#12. */
import { setTimeout as sleep } from 'node:timers/promises'
import { checkObject, shown } from '../ground/arguments.js'
import { ValueError } from '../python/errors.js'
import { ownOptions } from '../python/options.js'

type ErrorClass = abstract new (...args: never[]) => Error

/** RetryingClient's keywords in camelCase. */
export interface RetryOptions {
  /** The largest number of attempts of a call. Default 2. */
  readonly attempts?: number | undefined
  /** Seconds in between. Default 0. */
  readonly retryDelay?: number | undefined
  /** Only these errors are retried. Default: all. */
  readonly retryFor?: readonly ErrorClass[] | null | undefined
  /** These errors are not retried. */
  readonly doNotRetryFor?: readonly ErrorClass[] | null | undefined
}

/**
 * The same client, whose calls are repeated when they fail, also after errors of the server and for bad keys. `incr` may count twice.
 * @throws ValueError for attempts below 1, and for a class in both lists; TypeError for other options
 */
export function retryingClient<C extends object>(client: C, given: RetryOptions = {}): C {
  checkObject('client', client)
  const options = ownOptions(given, ['attempts', 'retryDelay', 'retryFor', 'doNotRetryFor'])
  const { attempts = 2, retryDelay = 0 } = options
  const retryFor = classes('retryFor', options.retryFor)
  const not = classes('doNotRetryFor', options.doNotRetryFor)
  if (!Number.isInteger(attempts) || attempts < 1)
    throw new ValueError(`attempts ${shown(attempts)} is not a whole number from 1 on`)
  if (typeof retryDelay !== 'number' || !(retryDelay >= 0 && retryDelay <= LONGEST_DELAY))
    throw new ValueError(`retryDelay ${shown(retryDelay)} is not a number of seconds up to ${LONGEST_DELAY}`)
  const both = retryFor.find((each) => not.includes(each))
  if (both) throw new ValueError(`${both.name} is in both retryFor and doNotRetryFor`)
  const retries = (error: unknown): boolean =>
    (retryFor.length === 0 || retryFor.some((each) => error instanceof each)) &&
    !not.some((each) => error instanceof each)
  const repeated = async (call: () => unknown): Promise<unknown> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await call()
      } catch (error) {
        if (attempt >= attempts || !retries(error)) throw error
        await sleep(retryDelay * 1000)
      }
    }
  }
  return new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      if (typeof name === 'symbol' || synchronous.has(name)) return member.bind(target)
      return (...args: unknown[]) => repeated(() => member.apply(target, args))
    },
  })
}

/** The longest time of Node's timers, in seconds. */
const LONGEST_DELAY = Math.floor((2 ** 31 - 1) / 1000)

const synchronous: ReadonlySet<string | symbol> = new Set([
  'close',
  'disconnectAll',
  'addServer',
  'removeServer',
  'serverOf',
  'constructor',
])

function classes(name: string, given: unknown): readonly ErrorClass[] {
  if (given === undefined || given === null) return []
  if (!Array.isArray(given) || given.some((each) => typeof each !== 'function'))
    throw new ValueError(`${name} must be an array of error classes`)
  return given
}
