import { classic, rawPump } from './raw-rows.mjs'

export const pump = (row) => rawPump(classic, row)
