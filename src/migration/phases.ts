/** The phases of a migration between two placements, as data. Rules for a mixed fleet: docs/migrating.md. */
import { shown } from '../ground/arguments.js'

/** A phase of a migration, in their order: docs/migrating.md. */
export type Phase = 'old' | 'dual-write' | 'new-first' | 'new'

/** The placements that a phase reads and writes. */
export interface PhaseRules {
  /** The placement whose answers are returned, whose errors are raised, and that has the counters and CAS uniques. */
  readonly authority: 'old' | 'new'
  /** Successful writes and deletes go to the other placement too. */
  readonly writesBoth: boolean
  /** A key that the authority does not have is looked up in the other placement and copied over. */
  readonly fallsBack: boolean
}

/** The phases of a migration in their order. */
export const phases: Readonly<Record<Phase, PhaseRules>> = {
  old: { authority: 'old', writesBoth: false, fallsBack: false },
  'dual-write': { authority: 'old', writesBoth: true, fallsBack: false },
  'new-first': { authority: 'new', writesBoth: true, fallsBack: true },
  new: { authority: 'new', writesBoth: false, fallsBack: false },
}

/** In the order of a migration. */
export const phaseNames = Object.keys(phases) as readonly Phase[]

/** @throws RangeError for a name that is not a phase */
export function checkPhase(phase: unknown): Phase {
  if (phaseNames.includes(phase as Phase)) return phase as Phase
  throw new RangeError(`phase ${shown(phase)} is not one of ${phaseNames.join(', ')}`)
}
