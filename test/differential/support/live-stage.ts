/** Real memcached servers, each behind a fault proxy. */
import type { Recording } from '../../../src/parity/scenario.js'
import { proxiedStage } from '../../../src/parity/stage.js'
import { startMemcached } from '../../support/memcached.js'
import type { CheckedStage } from './replay-stage.js'

export async function liveStage({ scenario }: Recording): Promise<CheckedStage> {
  const stage = await proxiedStage(
    scenario,
    // One thread, so that what has been sent on a connection that is closed now comes before what another one sends.
    { start: (args) => startMemcached({ args: ['-t', '1', ...args] }) },
  )
  return { ...stage, patience: 10, difference: async () => undefined }
}
