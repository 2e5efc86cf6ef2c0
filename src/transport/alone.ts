/**
 * Detects a single caller that sends one request to one server, waits for the answer, and sends the next. Its requests are written at once, because nothing
 * can be joined with them. With several callers, or several servers in turn, requests are sent at the end of the event loop's turn.
 */

/** The number of single requests in a row on one connection, without others, after which the next one is written at once. */
const ENOUGH = 8

let last: object | undefined
let single = 0

/** Called when a connection has written. @param alone it was one request, while no other was pending */
export function wrote(connection: object, alone: boolean): void {
  single = alone && connection === last ? single + 1 : 0
  last = connection
}

export function isAlone(connection: object): boolean {
  return single >= ENOUGH && connection === last
}
