// The layers of src/: the folders that each folder may import. `npm run check` checks every import against them.

/** The layers, lowest first. A folder may import the folders of lower layers, and the folders of its own layer that `neighbours` names. */
const floors = [
  ['ground'],
  ['python'],
  ['values', 'hashing', 'frameworks', 'protocol'],
  ['rules'],
  ['transport', 'server', 'capture'],
  ['pipeline'],
  ['strict', 'compat', 'pymemcache'],
  ['audit', 'migration', 'record', 'scan', 'adapters'],
  ['parity'],
  ['doctor'],
  ['cli'],
]

/** Imports between folders of one layer, with the reasons. */
const neighbours = {
  // With every switch off a compat client is a strict client.
  compat: ['strict'],
  // What frameworks store are Python's values.
  frameworks: ['values'],
}

const rooms = floors.flat()
const folder = (names) => `^src/(${names.join('|')})/`

const floorRules = rooms.map((room) => {
  const level = floors.findIndex((floor) => floor.includes(room))
  const allowed = [room, ...floors.slice(0, level).flat(), ...(neighbours[room] ?? [])]
  return {
    name: `floor-of-${room}`,
    comment: `src/${room} imports only ${allowed.join(', ')}.`,
    severity: 'error',
    from: { path: folder([room]) },
    to: { path: '^src/', pathNot: folder(allowed) },
  }
})

export default {
  forbidden: [
    ...floorRules,
    {
      name: 'door-of-strict',
      comment: 'src/compat imports src/strict only through its index.ts.',
      severity: 'error',
      from: { path: '^src/compat/' },
      to: { path: '^src/strict/', pathNot: '^src/strict/index\\.ts$' },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other when they load are one file, or need a third below them.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unknown-room',
      comment: 'A new folder below src/ needs a floor in this file.',
      severity: 'error',
      from: { path: '^src/', pathNot: `${folder(rooms)}|^src/index\\.ts$` },
      to: {},
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: { path: '\\.test\\.ts$' },
    doNotFollow: { path: 'node_modules' },
  },
}
