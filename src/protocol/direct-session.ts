/** A connection to a server in this process that answers within the call, as `server/` makes it and `transport/direct.ts` uses it. */
import type { Bytes } from '../ground/bytes.js'

export interface DirectSession {
  /** Takes whole requests. The bytes are only valid during the call. @returns the pieces of the reply, in order */
  take(request: Buffer): readonly (Buffer | Bytes)[]
  /** The server has closed the connection. */
  readonly ended: boolean
  close(): void
}
