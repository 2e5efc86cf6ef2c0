/** Connections of clients that were dropped without being closed. */
import type { Exchange } from './types.js'

const owners = new FinalizationRegistry<readonly Pick<Exchange, 'close'>[]>((exchanges) => {
  for (const exchange of exchanges) exchange.close()
})

/**
 * Closes exchanges once their owner has been collected as garbage. Requests that are pending must keep the owner; the exchanges must
 * not, or it never will be.
 */
export function closeWhenDropped(owner: object, exchanges: readonly Pick<Exchange, 'close'>[]): void {
  owners.register(owner, exchanges)
}
