/** The recorded bytes as servers. */
import type { Recording } from '../../../src/parity/scenario.js'
import type { Stage } from '../../../src/parity/stage.js'
import { ReplayServer } from './replay-server.js'

export interface CheckedStage extends Stage {
  /** First difference on the wire, once everything has been played. */
  difference(): Promise<string | undefined>
  stop(): Promise<void>
}

export async function replayStage(recording: Recording): Promise<CheckedStage> {
  const quits = recording.scenario.steps.some(({ call }) => call === 'quit_all')
  const servers = Array.from(
    { length: recording.scenario.servers },
    (_, index) =>
      new ReplayServer(
        recording.wire.filter(({ server }) => server === index),
        quits,
      ),
  )
  for (const server of servers) await server.start()
  return {
    patience: 4,
    addresses: servers.map(({ port }) => `127.0.0.1:${port}`),
    fault: (step) => servers[step.server ?? 0]!.fault(step),
    // What went past the client is in the recorded replies already.
    raw: async () => undefined,
    pass: () => {},
    difference: async () => {
      for (const server of servers) await server.settled()
      return servers.map((server) => server.difference ?? server.unsent).find((text) => text !== undefined)
    },
    stop: async () => {
      for (const server of servers) await server.stop()
    },
  }
}
