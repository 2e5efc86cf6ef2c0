/** Connections of clients that were dropped without being closed. */
import type { Exchange } from './types.js'

const owners = new FinalizationRegistry<readonly Pick<Exchange, 'close'>[]>((exchanges) => {
  for (const exchange of exchanges) exchange.close()
})

/**
 * Closes exchanges after their owner has been collected as garbage. Pending requests must refer to the owner; the exchanges must
 * not, because the owner would never be collected.
 */
export function closeWhenDropped(owner: object, exchanges: readonly Pick<Exchange, 'close'>[]): void {
  owners.register(owner, exchanges)
}
