/** memshim/scan: the items on the servers, the libraries that wrote them, and those that cannot read them. */
export { type ListedItem, ListingError, MetadumpReader } from '../protocol/metadump.js'
export { ScanError } from './errors.js'
export { listedItems } from './listing-file.js'
export { renderScan } from './render.js'
export type {
  KeyRow,
  LargeRow,
  PlacementReport,
  PrefixRow,
  ScanReport,
  ServerRow,
  UnreadableRow,
} from './report.js'
export { type ScanOptions, scan } from './scan.js'
export type { Writer } from './writers.js'
