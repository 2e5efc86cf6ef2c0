/** Recordings of python-memcached 1.58 and later, on Python 3: check-recordings.ts. */
import { checkRecordings } from './support/check-recordings.js'

checkRecordings('Python 3')
