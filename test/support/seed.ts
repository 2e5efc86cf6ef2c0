/**
 * Properties draw the same inputs in every run, so that a run fails by a change alone; `MEMSHIM_SEED` draws others, and `npm run fuzz` and
 * `npm run fuzz:parity` search with seeds of their own.
 */
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env.MEMSHIM_SEED ?? 1) })
