/** Recordings of pylibmc, text and binary: check-recordings.ts. */
import { checkRecordings } from './support/check-recordings.js'

checkRecordings('pylibmc')
