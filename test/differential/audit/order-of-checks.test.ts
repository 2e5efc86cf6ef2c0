/** Where two arguments of a call are wrong, the strict client raises for the one for which the real pylibmc raises. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { type BehaviorSettings, Client, type Key } from '../../../src/strict/index.js'

const python = process.env.MEMSHIM_PYTHON_PYLIBMC
const program = `
import json, pylibmc
keys = {'long': 'k' * 251, 'number': 5, 'surrogate': '\\ud800', 'blank': 'a b', 'empty': '', 'delete': 'del\\x7f', 'text': 'é'}
BEHAVIORS = [{}, {'verify_keys': 1}, {'cas': 1}, {'cas': 1, 'verify_keys': 1}]
CALLS = {
    'get': lambda client, key: client.get(key),
    'gets': lambda client, key: client.gets(key),
    'incr, None': lambda client, key: client.incr(key, None),
    'incr, large': lambda client, key: client.incr(key, 2**70),
    'incr, negative': lambda client, key: client.incr(key, -1),
    'decr, text': lambda client, key: client.decr(key, 'x'),
    'touch, None': lambda client, key: client.touch(key, None),
    'set, time None': lambda client, key: client.set(key, 1, None),
    'set, unpicklable': lambda client, key: client.set(key, lambda: 0),
    'add, time text': lambda client, key: client.add(key, 1, 'x'),
    'append, unpicklable': lambda client, key: client.append(key, lambda: 0),
    'set_multi, time None': lambda client, key: client.set_multi({key: 1}, None),
    'set_multi, unpicklable': lambda client, key: client.set_multi({key: lambda: 0}),
    'set_multi, second unpicklable': lambda client, key: client.set_multi({key: 1, 'k': lambda: 0}),
    'add_multi, prefix number': lambda client, key: client.add_multi({key: 1}, 0, 5),
    'incr_multi, prefix number': lambda client, key: client.incr_multi([key], 5),
    'incr_multi, delta text': lambda client, key: client.incr_multi([key], '', 'x'),
    'cas, token text': lambda client, key: client.cas(key, 1, 'x'),
    'cas, time None': lambda client, key: client.cas(key, 1, 1, None),
    'cas, unpicklable': lambda client, key: client.cas(key, lambda: 0, 1),
    'delete_multi, prefix number': lambda client, key: client.delete_multi([key], 5),
    'get_multi, prefix number': lambda client, key: client.get_multi([key], 5),
    'get_multi, number behind it': lambda client, key: client.get_multi([key, 5]),
}
def raised(call, client, key):
    try:
        call(client, key)
    except Exception as error:
        # A function cannot be pickled: which class says so is the matter of the pickle module.
        return 'unpicklable' if isinstance(error, AttributeError) else type(error).__name__
    return 'None'
print(json.dumps([
    {
        name: {kind: raised(call, pylibmc.Client(['127.0.0.1:1'], behaviors=behaviors), key) for kind, key in keys.items()}
        for name, call in CALLS.items()
    }
    for behaviors in BEHAVIORS
]))
`

/** What may come when the arguments have been taken: there is no server, and a key with a blank is never sent here (docs/strict.md). */
const behind = new Set([
  'None',
  'ConnectionError',
  'ServerDown',
  'ClientError',
  'MemcachedError',
  'Error',
  'WriteError',
])
const behaviors: readonly BehaviorSettings[] = [
  {},
  { verify_keys: 1 },
  { cas: 1 },
  { cas: 1, verify_keys: 1 },
]
const keys = {
  long: 'k'.repeat(251),
  number: 5,
  surrogate: '\ud800',
  blank: 'a b',
  empty: '',
  delete: 'del\x7f',
  text: 'é',
}
const wrong = null as never
const unpicklable = () => 0
const calls: Readonly<Record<string, (client: Client, key: Key) => Promise<unknown>>> = {
  get: (client, key) => client.get(key),
  gets: (client, key) => client.gets(key),
  'incr, None': (client, key) => client.incr(key, wrong),
  'incr, large': (client, key) => client.incr(key, 2n ** 70n),
  'incr, negative': (client, key) => client.incr(key, -1),
  'decr, text': (client, key) => client.decr(key, 'x' as never),
  'touch, None': (client, key) => client.touch(key, wrong),
  'set, time None': (client, key) => client.set(key, 1, { time: wrong }),
  'set, unpicklable': (client, key) => client.set(key, unpicklable),
  'add, time text': (client, key) => client.add(key, 1, { time: 'x' as never }),
  'append, unpicklable': (client, key) => client.append(key, unpicklable),
  'set_multi, time None': (client, key) => client.setMulti(new Map([[key, 1]]), { time: wrong }),
  'set_multi, unpicklable': (client, key) => client.setMulti(new Map([[key, unpicklable]])),
  'set_multi, second unpicklable': (client, key) =>
    client.setMulti(
      new Map<Key, unknown>([
        [key, 1],
        ['k', unpicklable],
      ]),
    ),
  'add_multi, prefix number': (client, key) =>
    client.addMulti(new Map([[key, 1]]), { keyPrefix: 5 as never }),
  'incr_multi, prefix number': (client, key) => client.incrMulti([key], { keyPrefix: 5 as never }),
  'incr_multi, delta text': (client, key) => client.incrMulti([key], { delta: 'x' as never }),
  'cas, token text': (client, key) => client.cas(key, 1, 'x' as never),
  'cas, time None': (client, key) => client.cas(key, 1, 1n, { time: wrong }),
  'cas, unpicklable': (client, key) => client.cas(key, unpicklable, 1n),
  'delete_multi, prefix number': (client, key) => client.deleteMulti([key], { keyPrefix: 5 as never }),
  'get_multi, prefix number': (client, key) => client.getMulti([key], { keyPrefix: 5 as never }),
  'get_multi, number behind it': (client, key) => client.getMulti([key, 5 as never]),
}

describe.skipIf(!python)('two wrong arguments', () => {
  const real = python
    ? (JSON.parse(execFileSync(python, ['-c', program], { encoding: 'utf8' })) as Record<
        string,
        Record<string, string>
      >[])
    : []

  it.each(behaviors.map((settings, index) => [JSON.stringify(settings), index] as const))(
    'raise what pylibmc raises with %s',
    async (_, index) => {
      const ours: Record<string, Record<string, string>> = {}
      for (const [name, call] of Object.entries(calls)) {
        ours[name] = {}
        for (const [kind, key] of Object.entries(keys)) {
          const client = new Client(['127.0.0.1:1'], { behaviors: behaviors[index]! })
          ours[name][kind] = await call(client, key as Key).then(
            () => 'behind',
            ({ name }: Error) =>
              name === 'ValueEncodeError' ? 'unpicklable' : behind.has(name) ? 'behind' : name,
          )
          client.disconnectAll()
        }
      }
      const theirs = Object.entries(real[index]!).map(([name, kinds]) => [
        name,
        Object.fromEntries(
          Object.entries(kinds).map(([kind, raised]) => [kind, behind.has(raised) ? 'behind' : raised]),
        ),
      ])
      expect(ours).toEqual(Object.fromEntries(theirs))
    },
  )
})
