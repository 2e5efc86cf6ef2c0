// What is measured. A row's target is the least ratio of memshim strict's rate to the best rival's in the same run.

const sizes = { '100 B': 100, '1 KB': 1000, '10 KB': 10_000, '100 KB': 100_000 }
const targets = {
  get: { '100 B': 4, '1 KB': 3.2, '10 KB': 2.5, '100 KB': 2.5 },
  set: { '100 B': 5.5, '1 KB': 4.2, '10 KB': 2, '100 KB': 1.6 },
}
// Enough distinct keys that no client can live from one cached key, few enough that 100 KB values fit the server.
const keysFor = (size) => (size >= 100_000 ? 100 : 1000)

const base = { callers: 100, size: 100, values: 'text', servers: 1, keys: 1000, target: 1, unit: 'k/s' }

function row(name, settings) {
  return { ...base, name, ...settings }
}

function sized(kind, values) {
  return Object.entries(sizes).map(([label, size]) =>
    row(`${kind} ${label}${values === 'bytes' ? ' Buffer' : ''}`, {
      group: values === 'bytes' ? '100 callers, Buffers' : '100 callers, strings',
      kind,
      size,
      values,
      keys: keysFor(size),
      target: targets[kind][label],
      quick: values === 'text',
    }),
  )
}

// Few operations a second, or few on each connection: V8 compiles them later.
const LATE = 1.5

const sequential = ['get', 'set'].map((kind) =>
  row(`sequential ${kind} 100 B`, {
    group: 'one caller',
    kind,
    callers: 1,
    target: 0.9,
    warmup: LATE,
    quick: true,
  }),
)

const several = [
  row('getMulti of 100', {
    group: 'several keys and both directions',
    kind: 'getMulti',
    callers: 1,
    batch: 100,
    target: 1.4,
    warmup: LATE,
    quick: true,
    unit: '/s',
  }),
  row('mixed 90/10 1 KB', {
    group: 'several keys and both directions',
    kind: 'mixed',
    size: 1000,
    target: 4.5,
    quick: true,
  }),
]

const large = [
  row('getMulti of 100,000', {
    group: 'several keys and both directions',
    kind: 'getMulti',
    callers: 1,
    keys: 100_000,
    batch: 100_000,
    unit: 'ms',
  }),
]

// Here the target is a time that must not be exceeded (`limit`, milliseconds), beside the ratio to the best rival.
const delays = [
  row('event-loop delay p99, get 1 KB', { kind: 'delay', size: 1000, quick: true }),
  row('event-loop delay p99, get 1 KB, 1000 callers', { kind: 'delay', size: 1000, callers: 1000 }),
  row('event-loop delay p99, get 100 KB', { kind: 'delay', size: 100_000, keys: 100 }),
].map((workload) => ({ ...workload, group: 'event loop', unit: 'ms', limit: 10, target: undefined }))

const inFlight = [10, 1000, 10_000].map((callers) =>
  row(`in flight ${callers}, get 100 B`, {
    group: 'operations in flight',
    kind: 'get',
    callers,
    ...(callers === 10 ? { warmup: LATE, quick: true } : {}),
  }),
)

const fleets = [
  ...[4, 16, 64].map((servers) =>
    row(`${servers} servers, get 100 B`, { servers, target: servers > 4 ? 2 : 1, quick: servers > 4 }),
  ),
  // For pylibmc, which blocks.
  ...[16, 64].map((servers) =>
    row(`${servers} servers, sequential get 100 B`, { servers, callers: 1, target: 0.9, quick: true }),
  ),
].map((workload) => ({
  ...workload,
  group: 'many servers, ketama where the client has it',
  kind: 'get',
  warmup: LATE,
}))

const python = ['short text', 'dict', 'list of dicts', 'zlib text', 'zlib pickle'].map((item) =>
  row(`read ${item} written by Python`, {
    group: "pylibmc's own items",
    kind: 'python',
    item,
    keys: 100,
    quick: item === 'zlib pickle',
  }),
)

const cold = [
  row('cold start: import, connect, first get', {
    group: 'cold start',
    kind: 'cold',
    callers: 1,
    unit: 'ms',
    quick: true,
  }),
]

const micro = [
  row("hash a key: pylibmc's default", { hash: 'default' }),
  row('hash a key: md5', { hash: 'md5' }),
  row('hash a key: crc', { hash: 'crc' }),
  row('place a key, 16 servers, ketama', { kind: 'place', servers: 16, quick: true }),
  row('place a key, 1000 servers, ketama', { kind: 'place', servers: 1000 }),
  row('build the ring of 100 servers', { kind: 'ring', servers: 100, unit: 'ms' }),
  row('build the ring of 1000 servers', { kind: 'ring', servers: 1000, unit: 'ms', quick: true }),
].map((workload) => ({
  ...workload,
  group: 'hashing, no network',
  ...(workload.hash ? { kind: 'hash' } : {}),
  offline: true,
}))

/** For divergence.mjs: what no row of the table is about. */
export const divergenceRows = [
  row('get 100 B, nothing diverges', { kind: 'get' }),
  row('set 100 B, nothing diverges', { kind: 'set' }),
  row('touch, every call diverges', { kind: 'touch' }),
]

export const workloads = [
  ...sequential,
  ...sized('get', 'text'),
  ...sized('set', 'text'),
  ...sized('get', 'bytes'),
  ...sized('set', 'bytes'),
  ...several,
  ...large,
  ...delays,
  ...inFlight,
  ...fleets,
  ...python,
  ...cold,
  ...micro,
]
