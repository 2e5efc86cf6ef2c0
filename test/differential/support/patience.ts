/** Comparisons that hold on a slow machine: a client's time may be over before its server was heard. */
import type { CheckedStage } from './replay-stage.js'

/** The shortest time, in seconds, that a client or an item has in a scenario; a little less, since a server's clock has begun before ours. */
export const shortestTime = 0.8

/** The most attempts; each multiplies the clients' times by its number. */
export const attempts = 5

/** @param patience multiplies the clients' times */
export function patiently(stage: CheckedStage, patience: number): CheckedStage {
  return { ...stage, patience: (stage.patience ?? 1) * patience }
}

/** Checks again, with more time for the clients, where a check failed so late that a slow machine may be the cause. */
export async function withPatience(check: (patience: number) => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const started = performance.now()
    try {
      return await check(attempt)
    } catch (error) {
      if ((performance.now() - started) / 1000 < shortestTime || attempt === attempts) throw error
    }
  }
}
