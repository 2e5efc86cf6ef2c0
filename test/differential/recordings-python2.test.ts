/** Recordings of python-memcached 1.44 to 1.54, which run on Python 2: check-recordings.ts. */
import { checkRecordings } from './support/check-recordings.js'

checkRecordings('Python 2')
