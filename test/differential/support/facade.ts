/**
 * The compat client with everything off, for pylibmc's recordings: what python-memcached has a method for is called on the facade
 * itself, the rest on the strict client below it, over the same connections.
 */
import type { AuditedClient } from '../../../src/audit/methods/calls.js'
import { Client as CompatClient, type CompatServerInput } from '../../../src/compat/index.js'
import type { ClientOptions as StrictOptions } from '../../../src/strict/index.js'

const methods = new Set(Object.getOwnPropertyNames(CompatClient.prototype))

/** Has the facade a method for this Python method of pylibmc? */
export function hasWord(call: string): boolean {
  return methods.has(call.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()))
}

export function facade(servers: readonly CompatServerInput[], pylibmc: StrictOptions): AuditedClient {
  const client = new CompatClient(servers, { emulate: 'pylibmc', preserve: true, pylibmc })
  return new Proxy(client, {
    get(client, name) {
      const speaker = methods.has(String(name)) ? client : client.pylibmc!
      const member = Reflect.get(speaker, name)
      return typeof member === 'function' ? member.bind(speaker) : member
    },
  })
}

/** pylibmc's keywords of a scenario, as the strict client takes them. */
export function strictOptions(kwargs: Readonly<Record<string, unknown>>, binary?: boolean): StrictOptions {
  const { behaviors } = kwargs
  const settings = behaviors instanceof Map ? Object.fromEntries(behaviors) : behaviors
  return { ...kwargs, behaviors: settings, binary, negativeTimeout: 'send' } as StrictOptions
}
