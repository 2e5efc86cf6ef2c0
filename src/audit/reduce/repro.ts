/** The files that show a reduced finding: `repro.py` for the real libraries, a trace with its test, and a scenario. Pure. */
import { checkMade, checkText } from '../../ground/arguments.js'
import { fromTypedJson, type TypedJson } from '../../values/index.js'
import type { Outcome } from '../compare/outcome.js'
import { pylibmcKwargs } from '../methods/constructor/construct.js'
import { AuditOptionsError } from '../options.js'
import { constructorCall } from '../replay/replay.js'
import { callText } from '../report/finding.js'
import type { NewEvent, TraceEvent } from '../traces/trace.js'
import { memshimVersion } from '../version.js'
import { pythonSource, pythonString } from './python-source.js'
import type { Reduced } from './reduce.js'

/** Seconds between two lines from which on the program waits. */
const noticeable = 0.5
const reducedFields = ['events', 'operation', 'verdict', 'finding', 'header']

/** A Python program that makes the calls on the real library of its Python, and says whether the outcome is the predicted one. */
export function reproPython(reduced: Reduced): string {
  checkMade('reduced', reduced, 'reduce()', reducedFields)
  const { events, operation, verdict, finding, header } = reduced
  const names = serverNames(events)
  const steps: string[] = undeclared(events).map((client) => {
    const servers = Array.from({ length: Math.max(1, header.servers) }, (_, index) => `(${index}, None)`)
    return `    client(${pythonString(client)}, [${servers.join(', ')}], {}, {}),`
  })
  let t = events[0]?.t ?? 0
  for (const event of events) {
    if (event.t - t >= noticeable) steps.push(`    wait(${(event.t - t).toFixed(1)}),`)
    t = event.t
    const itself = event === events.at(-1) && event.kind === 'new' && operation.call === constructorCall
    steps.push(`    ${itself ? constructorStep(event, names) : step(event, names)},  # line ${event.line}`)
  }
  const servers = Math.max(1, header.servers)
  return `#!/usr/bin/env python3
"""${docText(`${finding}: ${callText(operation.call, operation.args, operation.kwargs)}`)}

Found by memshim ${memshimVersion()} in a trace of ${header.library} ${header.version} (${verdict.impact}).
Run it with a Python that has python-memcached, and with one that has pylibmc:

    python repro.py                                    (starts memcached on free ports)
    python repro.py 127.0.0.1:11211 127.0.0.1:11212    (servers of yours, ${servers} of them; they are emptied)

Exit code 0: the library did what was predicted; 1: something else; 2: it could not be tried.
"""
import base64, decimal, pickle, shutil, socket, subprocess, sys, tempfile, threading, time, types

try:
    import pylibmc
    LIBRARY = 'pylibmc'
except ImportError:
    import memcache
    LIBRARY = 'python-memcached'

SERVERS = ${servers}


def unpickled(text):
    """An object of a class that cannot be imported becomes an object of an empty class with that name."""
    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            try:
                return super().find_class(module, name)
            except (ImportError, AttributeError):
                home = sys.modules.setdefault(module, types.ModuleType(module))
                if not hasattr(home, name):
                    setattr(home, name, type(name, (), {'__module__': module}))
                return getattr(home, name)
    import io
    return Reader(io.BytesIO(base64.b64decode(text))).load()


def client(name, servers, python_memcached, pylibmc_):
    """The constructor: python-memcached's with the application's arguments, pylibmc's with the arguments that it accepts."""
    def run(world):
        given = [world.address(server) for server in servers]
        if LIBRARY == 'pylibmc':
            plain = ['%s:%s' % server if isinstance(server, tuple) else server for server in given]
            world.clients[name] = pylibmc.Client(plain, **pylibmc_)
        else:
            world.clients[name] = memcache.Client(given, **python_memcached)
    return run


def constructor(servers, kwargs):
    """The constructor unchanged, on either library."""
    def run(world):
        given = [world.address(server) for server in servers]
        (pylibmc if LIBRARY == 'pylibmc' else memcache).Client(given, **kwargs)
    return run


def call(name, method, *args, **kwargs):
    def run(world):
        if method == 'set_servers':
            return world.clients[name].set_servers([world.address(server) for server in args[0]])
        return getattr(world.clients[name], method)(*args, **kwargs)
    return run


def wait(seconds):
    return lambda world: time.sleep(seconds)


def down(index):
    return lambda world: world.stop(index)


def up(index):
    return lambda world: world.start(index)


STEPS = [
${steps.join('\n')}
]
EXPECTED = {
    'python-memcached': ${expected(operation.compat)},
    'pylibmc': ${expected(operation.strict)},
}


class World:
    def __init__(self, addresses):
        self.clients, self.processes = {}, {}
        self.own = not addresses
        self.addresses = list(addresses)
        if self.own:
            for index in range(SERVERS):
                with socket.socket() as free:
                    free.bind(('127.0.0.1', 0))
                    self.addresses.append('127.0.0.1:%d' % free.getsockname()[1])
                self.start(index)

    def start(self, index):
        program = shutil.which('memcached')
        if program is None or not self.own:
            raise SystemExit('memcached is not on the PATH, or the servers are not this program\\'s to start')
        host, port = self.addresses[index].split(':')
        self.processes[index] = subprocess.Popen(
            [program, '-u', 'nobody', '-l', host, '-p', port, '-U', '0'], stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection((host, int(port)), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise SystemExit('memcached does not answer')

    def stop(self, index):
        self.processes[index].kill()
        self.processes[index].wait()

    def address(self, server):
        index, weight = server
        return self.addresses[index] if weight is None else (self.addresses[index], weight)

    def empty(self):
        for address in self.addresses:
            host, port = address.rsplit(':', 1)
            with socket.create_connection((host, int(port)), 5) as plain:
                plain.sendall(b'flush_all\\r\\n')
                plain.recv(100)


def outcome(run, world):
    try:
        return ('result', run(world))
    except Exception as error:
        kind = type(error)
        return ('raises', '%s.%s' % (kind.__module__.replace('_pylibmc', 'pylibmc'), kind.__name__))


def same(a, b):
    """1 is not True here, as programs that ask for the identity notice."""
    if a[0] != b[0]:
        return False
    simple = (bool, int, float, str, bytes, type(None))
    if isinstance(a[1], simple) or isinstance(b[1], simple):
        return type(a[1]) is type(b[1]) and a[1] == b[1]
    if hasattr(a[1], '__dict__') and type(a[1]) is type(b[1]):
        return vars(a[1]) == vars(b[1])
    return a[1] == b[1]


def main():
    world = World(sys.argv[1:])
    try:
        world.empty()
        for run in STEPS:
            found = outcome(run, world)
        wanted = EXPECTED[LIBRARY]
        agrees = same(found, wanted)
        print('%s: %s %.200r' % (LIBRARY, found[0], found[1]))
        print('as predicted' if agrees else 'predicted: %s %.200r' % wanted)
        return 0 if agrees else 1
    finally:
        for process in world.processes.values():
            process.kill()


if __name__ == '__main__':
    sys.exit(main())
`
}

function expected(outcome: Outcome): string {
  return 'raises' in outcome
    ? `('raises', ${pythonString(outcome.raises.class)})`
    : `('result', ${pythonSource(outcome.result)})`
}

/** Clients whose constructor call is not in a capture: they have the defaults, and all servers. */
function undeclared(events: readonly TraceEvent[]): readonly string[] {
  const made = new Set(events.flatMap((event) => (event.kind === 'new' ? [event.client] : [])))
  const used = new Set(events.flatMap((event) => (event.kind === 'call' ? [event.client] : [])))
  return [...used].filter((client) => !made.has(client))
}

function docText(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replace(/[^\x20-\x7e]/g, '?')
}

function serverNames(events: readonly TraceEvent[]): ReadonlyMap<string, number> {
  const names = new Map<string, number>()
  for (const event of events)
    if (event.kind === 'new')
      for (const spec of event.servers) {
        const name = typeof spec === 'string' ? spec : spec[0]
        if (!names.has(name)) names.set(name, names.size)
      }
  return names
}

function step(event: TraceEvent, names: ReadonlyMap<string, number>): string {
  switch (event.kind) {
    case 'new':
      return newStep(event, names)
    case 'call': {
      const words = [
        pythonString(event.client),
        pythonString(event.call),
        ...event.args.map(pythonSource),
        ...keywords(event.kwargs),
      ]
      return `call(${words.join(', ')})`
    }
    case 'fault':
      if (event.fault.fault === 'down' || event.fault.fault === 'up')
        return `${event.fault.fault}(${event.fault.server})`
      throw new RangeError(
        `a fault (${event.fault.fault}) needs memshim’s proxy and cannot be shown by a program alone`,
      )
    default:
      throw new AuditOptionsError(`a ${event.kind} line cannot be shown by a program`)
  }
}

function newStep({ client, servers, kwargs }: NewEvent, names: ReadonlyMap<string, number>): string {
  const placed = servers.map((spec) =>
    typeof spec === 'string' ? `(${names.get(spec)}, None)` : `(${names.get(spec[0])}, ${spec[1]})`,
  )
  const plain = Object.keys(kwargs).length === 0 && servers.every((spec) => typeof spec === 'string')
  const decoded = Object.fromEntries(
    Object.entries(kwargs).map(([name, value]) => [name, fromTypedJson(value)]),
  )
  const own = plain ? {} : (pylibmcKwargs(decoded) as Record<string, TypedJson>)
  return `client(${pythonString(client)}, [${placed.join(', ')}], ${pythonSource({ $dict: Object.entries(kwargs) } as TypedJson)}, ${pythonSource({ $dict: Object.entries(own) } as TypedJson)})`
}

/** The step of a constructor that is itself the finding. */
function constructorStep({ servers, kwargs }: NewEvent, names: ReadonlyMap<string, number>): string {
  const placed = servers.map((spec) =>
    typeof spec === 'string' ? `(${names.get(spec)}, None)` : `(${names.get(spec[0])}, ${spec[1]})`,
  )
  return `constructor([${placed.join(', ')}], ${pythonSource({ $dict: Object.entries(kwargs) } as TypedJson)})`
}

function keywords(kwargs: Readonly<Record<string, TypedJson>>): readonly string[] {
  return Object.entries(kwargs).map(([name, value]) => `${name}=${pythonSource(value)}`)
}

/** As a scenario (docs/formats.md), which the recorder plays on the real libraries. */
export function reducedScenario(reduced: Reduced): string {
  checkMade('reduced', reduced, 'reduce()', reducedFields)
  const { events, header, finding, operation } = reduced
  const clients = [...new Set(events.flatMap((event) => ('client' in event ? [event.client] : [])))]
  const made = events.find((event): event is NewEvent => event.kind === 'new' && event.client === clients[0])
  const steps: object[] = []
  let t = events[0]?.t ?? 0
  for (const event of events) {
    if (event.t - t >= noticeable) steps.push({ sleep: Number((event.t - t).toFixed(1)) })
    t = event.t
    if (event.kind === 'fault') steps.push(event.fault)
    if (event.kind !== 'call') continue
    steps.push({
      call: event.call,
      args: event.args,
      ...(Object.keys(event.kwargs).length > 0 ? { kwargs: event.kwargs } : {}),
      ...(event.client === clients[0] ? {} : { client: 'b' }),
    })
  }
  const about = `${finding}: ${callText(operation.call, operation.args, operation.kwargs)}`
  const scenario = {
    format: 'memshim-scenario/1',
    about,
    libraries: ['python-memcached', 'pylibmc'],
    servers: header.servers,
    ...(made && Object.keys(made.kwargs).length > 0 ? { client: { 'python-memcached': made.kwargs } } : {}),
    steps,
  }
  return `${JSON.stringify(scenario, null, 2)}\n`
}

/** A test for Node's own test runner: the trace beside it still has the finding. */
export function reducedTest(reduced: Reduced, trace: string): string {
  checkMade('reduced', reduced, 'reduce()', reducedFields)
  checkText('trace', trace)
  const { finding, operation, verdict, header } = reduced
  const name = `${finding}: ${callText(operation.call, operation.args, operation.kwargs)} on ${header.library} ${header.version}`
  return `// Written by memshim audit --reduce. Run it with: node --test
import { equal, ok } from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { audit, readTrace } from 'memshim/audit'

test(${JSON.stringify(name)}, async () => {
  const trace = await readTrace(fileURLToPath(new URL(${JSON.stringify(`./${trace}`)}, import.meta.url)))
  let last
  await audit(trace, { onOperation: (operation, verdict) => (last = { operation, verdict }) })
  equal(last.verdict.impact, ${JSON.stringify(verdict.impact)})
  ok(last.verdict.explanations.map((one) => one.switch).includes(${JSON.stringify(verdict.explanations[0]?.switch ?? finding)}))
})
`
}
