/** The verdict from the counts of a shadow, with its confidence. Pure. Source: the exact Poisson bound (Garwood, 1936). */
import { shown } from '../../ground/arguments.js'

/** The counts over restarts: plain JSON. */
export interface ShadowState {
  readonly format: 'memshim-shadow/1'
  readonly compared: number
  /** Outcomes that differed at first. */
  readonly mismatches: number
  /** The mismatches that were found in every confirmation. */
  readonly confirmed: number
  /** The mismatches that a confirmation did not find again: another client wrote meanwhile. */
  readonly races: number
  /** The mismatches that the hook `ignore` removed. */
  readonly ignored: number
  /** Reads of the compat client that were repeated on it, and the number of them with another result. */
  readonly controls: number
  readonly noise: number
  /** Writes whose difference was seen once; the second one confirms it. */
  readonly seenOnce: readonly string[]
}

/** A verdict for a deployment. */
export interface ShadowVerdict {
  readonly compared: number
  readonly confirmed: number
  /** Upper bound of the share of operations that differ, with this confidence. */
  readonly atMost: number
  readonly confidence: number
  /** Share of the compat client's reads with another result when they are repeated: the noise of races. */
  readonly noise: number
  /** `0 of 1,200,000 confirmed: under 3 per million at 95 %` */
  readonly text: string
}

export const emptyState: ShadowState = {
  format: 'memshim-shadow/1',
  compared: 0,
  mismatches: 0,
  confirmed: 0,
  races: 0,
  ignored: 0,
  controls: 0,
  noise: 0,
  seenOnce: [],
}

const counters = ['compared', 'mismatches', 'confirmed', 'races', 'ignored', 'controls', 'noise'] as const

/** @throws TypeError for a value that `shadowState()` did not return */
export function checkState(given: unknown): ShadowState {
  const state = Object(given) as Partial<ShadowState>
  const whole =
    state.format === emptyState.format &&
    counters.every((name) => Number.isSafeInteger(state[name]) && state[name]! >= 0) &&
    Array.isArray(state.seenOnce) &&
    state.seenOnce.every((text) => typeof text === 'string')
  if (!whole) throw new TypeError('state is not what shadowState() returns (format "memshim-shadow/1")')
  return { ...emptyState, ...state }
}

/** @param confidence above 0 and below 1 @throws RangeError for another one */
export function verdictOf(state: ShadowState, confidence = 0.95): ShadowVerdict {
  if (!(typeof confidence === 'number' && confidence > 0 && confidence < 1))
    throw new RangeError(`confidence is ${shown(confidence)}, not a number above 0 and below 1`)
  const { compared, confirmed, controls, noise } = state
  const atMost = compared === 0 ? 1 : Math.min(1, poissonBound(confirmed, confidence) / compared)
  const share = `${Number((confidence * 100).toPrecision(4))} %`
  const whole = compared.toLocaleString('en')
  const text =
    compared === 0
      ? 'nothing has been compared'
      : `${confirmed.toLocaleString('en')} of ${whole} confirmed: under ${rate(atMost)} at ${share}`
  return { compared, confirmed, atMost, confidence, noise: controls === 0 ? 0 : noise / controls, text }
}

/** The largest mean for which so few events still have the probability 1 − confidence. */
export function poissonBound(events: number, confidence: number): number {
  const tail = 1 - confidence
  let [low, high] = [0, 10]
  while (poissonCdf(events, high) > tail) high *= 2
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2
    if (poissonCdf(events, middle) > tail) low = middle
    else high = middle
  }
  return high
}

/** P(X ≤ events). Terms are added as logarithms, so that large means do not vanish. */
function poissonCdf(events: number, mean: number): number {
  let term = -mean
  let sum = 0
  for (let i = 0; i <= events; i++) {
    if (i > 0) term += Math.log(mean / i)
    sum += Math.exp(term)
  }
  return sum
}

/** Rounded up: the bound must not be made smaller. */
function rate(share: number): string {
  if (share >= 0.01) return `${(Math.ceil(share * 1000) / 10).toFixed(1)} %`
  const perMillion = share * 1e6
  return perMillion >= 1
    ? `${Math.ceil(perMillion).toLocaleString('en')} per million`
    : `${Math.ceil(share * 1e9).toLocaleString('en')} per billion`
}
