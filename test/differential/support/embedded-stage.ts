/** Embedded servers with their own faults. */

import { type Recording, wireBytes } from '../../../src/parity/scenario.js'
import { sendRaw } from '../../../src/parity/stage.js'
import { type EmbeddedServer, parseFault, startServer } from '../../../src/server/index.js'
import { embeddedOptions } from '../../support/embedded-options.js'
import type { CheckedStage } from './replay-stage.js'

export async function embeddedStage({ scenario, memcached }: Recording): Promise<CheckedStage> {
  // On the servers' clock only the scenario's sleeps pass, however slow this machine is.
  let now = Date.now() / 1000
  const version = memcached?.includes('1.6.18') ? undefined : memcached?.at(-1)
  const options = {
    ...embeddedOptions(scenario.memcached ?? []),
    clock: () => now,
    ...(version ? { version } : {}),
  }
  const servers: EmbeddedServer[] = []
  for (let i = 0; i < scenario.servers; i++) servers.push(await startServer(options))
  return {
    patience: 4,
    addresses: servers.map(({ address }) => address),
    fault: async (step) => {
      await servers[step.server ?? 0]!.fault(parseFault({ server: 0, later: 'answered', ...step }))
    },
    raw: async (step) => sendRaw(servers[step.server ?? 0]!.port, wireBytes(step.raw ?? '')),
    pass: (seconds) => {
      now += seconds
    },
    difference: async () => undefined,
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}
