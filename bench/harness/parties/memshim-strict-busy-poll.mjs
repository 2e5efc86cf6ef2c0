import { open as openStrict } from './memshim-strict.mjs'

/** The strict client with the option `busyPoll`. */
export const open = (job) => openStrict({ ...job, options: { busyPoll: 0.2 } })
