/** Functions that open connections of their own check the options of these connections before they connect. */
import { describe, expect, it } from 'vitest'
import { doctor } from '../../src/doctor/index.js'
import { recordProxy, recordWatch } from '../../src/record/index.js'
import { scan } from '../../src/scan/index.js'
import { discoverCluster } from '../../src/strict/index.js'

type Options = Parameters<typeof discoverCluster>[1]

const servers = ['127.0.0.1:1']
const address = { transport: 'tcp', host: '127.0.0.1', port: 1 } as const
/** No file is made: the options are checked first. */
const out = '/nonexistent/trace.jsonl'

const functions: Readonly<Record<string, (options: Options) => Promise<unknown>>> = {
  discoverCluster: (options) => discoverCluster(servers[0]!, options),
  doctor: (options) => doctor({ servers, ...options }),
  scan: (options) => scan({ servers, ...options }),
  recordWatch: (options) => recordWatch({ watched: [address], out, ...(options as object) }),
  recordProxy: (options) =>
    recordProxy({ routes: [{ listen: address, upstream: address }], out, ...(options as object) }),
}

/** A proxy has no timeout of its own. */
const withoutTimeout = 'recordProxy'

describe.each(Object.entries(functions))('%s', (name, call) => {
  it
    .skipIf(name === withoutTimeout)
    .each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '5', 10n, null, Symbol('s')])(
    'refuses the timeout %s',
    async (timeout) => {
      await expect(call({ timeout: timeout as number })).rejects.toThrow(/^timeout is /)
    },
  )

  it.each([false, 1, 'yes', null, []])('refuses tls: %j', async (tls) => {
    await expect(call({ tls: tls as unknown as true })).rejects.toThrow(/^tls is /)
  })
})
