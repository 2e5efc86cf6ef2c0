/**
 * memshim: both clients, placement, values, audits and servers from one door. Names that two rooms share (both have a
 * `Client`) come as namespaces; everything else is imported from the room itself: `memshim/strict`, `memshim/compat`, ….
 */
export * as audit from './audit/index.js'
export * as compat from './compat/index.js'
export * as frameworks from './frameworks/index.js'
export * as hashing from './hashing/index.js'
export * as migration from './migration/index.js'
export * as server from './server/index.js'
export * as strict from './strict/index.js'
export * as values from './values/index.js'
