/** Real memcached servers, each behind a fault proxy. */
import type { Recording } from '../../../src/parity/scenario.js'
import { proxiedStage } from '../../../src/parity/stage.js'
import { FaultProxy } from '../../../src/server/index.js'
import { startMemcached } from '../../support/memcached.js'
import { onOwnPort } from '../../support/own-ports.js'
import type { CheckedStage } from './replay-stage.js'

export async function liveStage({ scenario }: Recording): Promise<CheckedStage> {
  const stage = await proxiedStage(
    scenario,
    // One thread, so that what has been sent on a connection that is closed now comes before what another one sends.
    { start: (args) => startMemcached({ args: ['-t', '1', ...args] }) },
    (options) => onOwnPort((port) => new FaultProxy({ ...options, port }).start()),
  )
  return { ...stage, patience: 10, difference: async () => undefined }
}
