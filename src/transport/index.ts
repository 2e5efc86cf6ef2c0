/** Door of the transport room: one pipelined connection per server. */
export { addressName, type ServerAddress } from './address.js'
export { Connection, type ConnectionOptions } from './connection.js'
export { TransportError, type TransportErrorKind } from './errors.js'
export type { Exchange, ExchangeOptions } from './types.js'
