// Who is measured, and what each can do. `maintained` decides whose CPU per operation is the target's other side; `contender` has been
// the best rival of some row, or stands for a floor: the others are left out of quick runs.

const network = ['get', 'set', 'getMulti', 'mixed', 'cold', 'delay']
const blocking = network.filter((kind) => kind !== 'delay')
const single = (workload) => workload.servers === 1
/** Every server has a share of the callers. */
const shared = (workload) => workload.callers >= workload.servers
/** Both Python clients block, and always have one caller. */
const comparable = ({ callers, kind, offline }) => callers === 1 || kind === 'python' || offline === true
/** Client and server wait for each other. */
const waiting = ({ callers }) => callers <= 10
const always = () => true

function party(name, module, settings = {}) {
  const { kinds = network, when = always, ...rest } = settings
  return {
    name,
    module,
    kind: 'rival',
    maintained: true,
    can: (workload) => kinds.includes(workload.kind) && when(workload),
    ...rest,
  }
}

export const parties = [
  party('memshim strict', 'memshim-strict.mjs', {
    contender: true,
    kind: 'ours',
    kinds: [...network, 'python', 'hash', 'place', 'ring'],
  }),
  party('memshim strict, busyPoll', 'memshim-strict-busy-poll.mjs', {
    contender: true,
    kind: 'option',
    kinds: ['get', 'set', 'getMulti'],
    when: waiting,
  }),
  party('memshim compat', 'memshim-compat.mjs', {
    contender: true,
    kind: 'ours',
    kinds: [...network, 'python'],
  }),
  party('memjs', 'memjs.mjs', { contender: true }),
  party('memjs, even keys', 'memjs-even.mjs', {
    contender: true,
    kind: 'placed',
    kinds: ['get'],
    when: ({ servers, callers }) => servers > 4 && callers > 1,
  }),
  party('memcached', 'memcached.mjs', { maintained: false }),
  // memcache stores and returns text only.
  party('memcache', 'memcache.mjs', {
    contender: true,
    when: (workload) => workload.values === 'text',
  }),
  // memcache-client takes several servers as copies of one another: it places no keys.
  party('memcache-client', 'memcache-client.mjs', { contender: true, when: single }),
  party('@keyv/memcache', 'keyv-memcache.mjs'),
  party('mc', 'mc.mjs', { contender: true, maintained: false }),
  party('memjs + pickleparser', 'memjs-pickleparser.mjs', { contender: true, kinds: ['python'] }),
  party('hashring', 'hashring.mjs', { contender: true, kinds: ['place', 'ring'], maintained: false }),
  party('raw socket, get', 'raw-get.mjs', {
    contender: true,
    kind: 'floor',
    kinds: ['get', 'set', 'getMulti', 'mixed'],
    when: shared,
  }),
  party('raw socket, mg', 'raw-mg.mjs', { kind: 'floor', kinds: ['get', 'getMulti', 'mixed'], when: shared }),
  // libmemcached rebuilds its ring with each server added, and ends the process with an assertion at some 300 to 400 servers.
  party('pylibmc', 'pylibmc', {
    contender: true,
    kind: 'python',
    interpreter: 'MEMSHIM_PYTHON_PYLIBMC',
    kinds: [...blocking, 'python', 'hash', 'ring'],
    when: (workload) => workload.servers <= 100 && comparable(workload),
  }),
  party('python-memcached', 'memcache', {
    kind: 'python',
    interpreter: 'MEMSHIM_PYTHON_MEMCACHED_159',
    kinds: [...blocking, 'python'],
    when: comparable,
  }),
]
