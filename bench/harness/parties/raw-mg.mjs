import { meta, rawPump } from './raw-rows.mjs'

export const pump = (row) => rawPump(meta, row)
