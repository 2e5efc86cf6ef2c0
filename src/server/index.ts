/** `memshim/server`: a memcached for tests, and faults for any memcached. */
export { EmbeddedServer, type EmbeddedServerOptions, startServer } from './embedded-server.js'
export {
  type Ending,
  type Fault,
  FaultError,
  parseFault,
  type RequestFault,
  type ServerFault,
} from './fault.js'
export { FaultProxy, type FaultProxyOptions } from './fault-proxy.js'
export type { FaultHere, ListenOptions } from './front.js'
export type { LookAlikeName } from './look-alikes.js'
export type { RecordedExchange } from './session.js'
export { newestVersion, type ServerFacts, serverFacts } from './versions.js'
