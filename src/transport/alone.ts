/**
 * Whether one caller is alone: it asks one server, waits for the answer, and asks again. Its requests are written at once, since nothing
 * can join them. With several callers, or several servers in turn, requests leave at the end of the event loop's turn.
 */

/** Single requests in a row, of one connection and no other, after which the next one is written at once. */
const ENOUGH = 8

let last: object | undefined
let single = 0

/** A connection has written. @param alone one request, while nothing else was under way */
export function wrote(connection: object, alone: boolean): void {
  single = alone && connection === last ? single + 1 : 0
  last = connection
}

export function isAlone(connection: object): boolean {
  return single >= ENOUGH && connection === last
}
