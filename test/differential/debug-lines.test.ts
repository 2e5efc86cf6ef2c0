/** The log lines of python-memcached with debug=1, call by call, as the real library wrote them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { invoke } from '../../src/audit/methods/calls.js'
import { Client, type PresetName } from '../../src/compat/index.js'
import { sendRaw } from '../../src/parity/stage.js'
import { EmbeddedServer, parseFault } from '../../src/server/index.js'
import { fromTypedJson, type TypedJson } from '../../src/values/index.js'
import { fixtures } from './support/recordings.js'

interface Step {
  readonly call: string
  readonly args: readonly TypedJson[]
  readonly fault?: object
  readonly raw?: string
}
const recorded: { readonly steps: readonly Step[]; readonly written: Record<string, readonly string[]> } =
  JSON.parse(readFileSync(join(fixtures, 'vectors', 'debug-lines.json'), 'utf8'))

describe.each(Object.entries(recorded.written))('%s', (name, written) => {
  it.each(recorded.steps.map((step, index) => [step.call, step.fault ?? step.raw ?? {}, index] as const))(
    '%s after %j',
    async (call, _what, index) => {
      const { args, fault, raw } = recorded.steps[index]!
      await using server = await new EmbeddedServer().start()
      const lines: string[] = []
      const client = new Client([server.address], {
        emulate: name as PresetName,
        socketTimeout: 0.3,
        debug: (line) => lines.push(`${line}\n`),
      })
      // As when it was recorded: the second add meets the first one's item, and the connection is open.
      if (index > 0) await client.set('k', 1)
      await client.get('warm')
      if (raw) await sendRaw(server.port, raw)
      if (fault) await server.fault(parseFault({ server: 0, ...fault }))
      const version = name.slice('python-memcached-'.length)
      await invoke(
        client,
        { name: 'python-memcached', version },
        { call, args: args.map((arg) => fromTypedJson(arg)), kwargs: {} },
      )
      client.disconnectAll()
      const text = lines
        .join('')
        .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:…')
        .replace(/dead until \d+/g, 'dead until …')
      expect(text).toBe(written[index])
    },
  )
})
