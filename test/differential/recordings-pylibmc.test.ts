/** Recordings of pylibmc, text and binary: check-recordings.ts. */
import { checkRecordings } from './check-recordings.js'

checkRecordings('pylibmc')
