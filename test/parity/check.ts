/** Runs random sequences until one fails; the failure is shrunk and printed as a scenario file. */
import fc from 'fast-check'
import { LibraryCrash, type Pair, runSequence } from './run-sequence.js'
import { type Sequence, scenarioFile } from './sequence.js'
import type { TwinServers } from './twin-servers.js'

/** `npm run fuzz:parity` sets both. */
export const runs = Number(process.env.MEMSHIM_PARITY_RUNS ?? 40)
export const seed = Number(process.env.MEMSHIM_PARITY_SEED ?? 1)

/** @throws Error with the shrunk sequence, what differs, and how to run it again */
export async function checkSequences(
  pair: Pair,
  twins: TwinServers,
  sequences: fc.Arbitrary<Sequence>,
): Promise<void> {
  const property = fc.asyncProperty(sequences, async (sequence) => {
    const difference = await runSequence(pair, twins, sequence).catch((error) => {
      if (!(error instanceof LibraryCrash)) throw error
      console.log(`the library crashed in ${error.message}`)
      return undefined
    })
    if (difference !== undefined) throw new Error(difference)
  })
  const {
    failed,
    counterexample,
    errorInstance,
    seed: used,
    counterexamplePath,
    numRuns,
  } = await fc.check(property, {
    numRuns: runs,
    seed,
  })
  if (!failed) return
  const difference = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  const [sequence] = counterexample ?? []
  throw new Error(
    `${difference}\n\nafter ${numRuns} runs, seed ${used}, path ${counterexamplePath}; as a scenario:\n${
      sequence ? scenarioFile(pair.installed.library, sequence) : 'none'
    }`,
  )
}
