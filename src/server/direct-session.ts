/** A connection of the embedded server without a socket, for audits without faults: one call takes requests and returns their replies. */
import type { DirectSession } from '../protocol/direct-session.js'
import { RequestFraming } from './commands/framing.js'
import type { Answer } from './commands/respond.js'
import type { Answerer } from './session.js'
import type { ServerFacts } from './versions.js'

export interface DirectSessionOptions {
  readonly longestKept: number
  readonly facts: ServerFacts
  /** Answers within the call. */
  readonly answer: (...frame: Parameters<Answerer['answer']>) => Answer
  readonly read: (bytes: number) => void
  readonly written: (bytes: number) => void
  readonly closed: () => void
}

export function directSession(options: DirectSessionOptions): DirectSession {
  const framing = new RequestFraming(options.longestKept, options.facts)
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    options.closed()
  }
  return {
    take(request) {
      if (ended) return []
      options.read(request.length)
      const reply: (Buffer | string)[] = []
      for (const frame of framing.push(request)) {
        const answer = options.answer(frame)
        const goodbye = 'goodbye' in answer
        for (const piece of goodbye ? answer.goodbye : answer) {
          if (piece.length === 0) continue
          options.written(piece.length)
          reply.push(piece)
        }
        if (goodbye) {
          end()
          break
        }
      }
      if (framing.broken) end()
      return reply
    },
    get ended() {
      return ended
    },
    close: end,
  }
}
