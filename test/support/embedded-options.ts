/** memcached's arguments as options of the embedded server. */
import type { EmbeddedServerOptions } from '../../src/server/index.js'

export function embeddedOptions(args: readonly string[]): EmbeddedServerOptions {
  const memory = args.indexOf('-m')
  return { evict: !args.includes('-M'), ...(memory < 0 ? {} : { memory: Number(args[memory + 1]) }) }
}
