/**
 * The resolver's answer for names under `.invalid`, which exist nowhere (RFC 6761), at once and without a network. How long the
 * system's takes is its own affair: getaddrinfo has no time limit for pylibmc and python-memcached, and our deadline counts it.
 */
import dns, { type LookupAddress } from 'node:dns'
import { vi } from 'vitest'

type Answer = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void

/** For sockets that are opened in this test file from now on. */
export function missingNamesAtOnce(): void {
  const system = dns.lookup as (host: string, options: object, answer: Answer) => void
  vi.spyOn(dns, 'lookup').mockImplementation(((host: string, options: object, answer: Answer) => {
    if (!host.endsWith('.invalid')) return system(host, options, answer)
    process.nextTick(answer, notFound(host))
  }) as typeof dns.lookup)
}

/** As Node.js reports EAI_NONAME. */
function notFound(hostname: string): NodeJS.ErrnoException {
  const facts = { errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname }
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), facts)
}
