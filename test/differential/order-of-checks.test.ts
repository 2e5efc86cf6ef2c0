/** Where two arguments of a call are wrong, the strict client raises for the one for which the real pylibmc raises. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { Client, type Key } from '../../src/strict/index.js'

const python = process.env.MEMSHIM_PYTHON_PYLIBMC
const program = `
import json, pylibmc
client = pylibmc.Client(['127.0.0.1:1'])
keys = {'long': 'k' * 251, 'number': 5, 'surrogate': '\\ud800', 'blank': 'a b', 'empty': ''}
calls = {
    'incr, None': lambda key: client.incr(key, None),
    'incr, large': lambda key: client.incr(key, 2**70),
    'decr, text': lambda key: client.decr(key, 'x'),
    'touch, None': lambda key: client.touch(key, None),
    'set, time None': lambda key: client.set(key, 1, None),
    'set, unpicklable': lambda key: client.set(key, lambda: 0),
    'add, time text': lambda key: client.add(key, 1, 'x'),
    'set_multi, time None': lambda key: client.set_multi({key: 1}, None),
    'cas, token text': lambda key: client.cas(key, 1, 'x'),
    'cas, time None': lambda key: client.cas(key, 1, 1, None),
    'delete_multi, prefix number': lambda key: client.delete_multi([key], 5),
    'get_multi, prefix number': lambda key: client.get_multi([key], 5),
}
def raised(call, key):
    try:
        call(key)
    except Exception as error:
        # A function cannot be pickled: which class says so is the matter of the pickle module.
        return 'unpicklable' if isinstance(error, AttributeError) else type(error).__name__
print(json.dumps({name: {kind: raised(call, key) for kind, key in keys.items()} for name, call in calls.items()}))
`

describe.skipIf(!python)('two wrong arguments', () => {
  it('raise what pylibmc raises', async () => {
    const real = JSON.parse(execFileSync(python!, ['-c', program], { encoding: 'utf8' }))
    const client = new Client(['127.0.0.1:1'])
    const keys = { long: 'k'.repeat(251), number: 5, surrogate: '\ud800', blank: 'a b', empty: '' }
    const wrong = null as never
    const calls: Readonly<Record<string, (key: Key) => Promise<unknown>>> = {
      'incr, None': (key) => client.incr(key, wrong),
      'incr, large': (key) => client.incr(key, 2n ** 70n),
      'decr, text': (key) => client.decr(key, 'x' as never),
      'touch, None': (key) => client.touch(key, wrong),
      'set, time None': (key) => client.set(key, 1, { time: wrong }),
      'set, unpicklable': (key) => client.set(key, () => 0),
      'add, time text': (key) => client.add(key, 1, { time: 'x' as never }),
      'set_multi, time None': (key) => client.setMulti(new Map([[key, 1]]), { time: wrong }),
      'cas, token text': (key) => client.cas(key, 1, 'x' as never),
      'cas, time None': (key) => client.cas(key, 1, 1n, { time: wrong }),
      'delete_multi, prefix number': (key) => client.deleteMulti([key], { keyPrefix: 5 as never }),
      'get_multi, prefix number': (key) => client.getMulti([key], { keyPrefix: 5 as never }),
    }
    const ours: Record<string, Record<string, string | null>> = {}
    for (const [name, call] of Object.entries(calls)) {
      ours[name] = {}
      for (const [kind, key] of Object.entries(keys))
        ours[name][kind] = await call(key as Key).then(
          () => null,
          (error: Error) => (error.name === 'ValueEncodeError' ? 'unpicklable' : error.name),
        )
    }
    expect(ours).toEqual(real)
    client.disconnectAll()
  })
})
