/** Messages about arguments of a wrong type are the real pylibmc's, for values of every class. */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { Client } from '../../../src/strict/index.js'
import { unpickle } from '../../../src/values/index.js'

const python = process.env.MEMSHIM_PYTHON_PYLIBMC
const program = `
import base64, collections, datetime, decimal, fractions, json, pickle, uuid, zoneinfo, pylibmc
client = pylibmc.Client(['127.0.0.1:1'])
values = [1.5, None, 'x', b'x', [], {}, set(), frozenset(), (1,), bytearray(b'a'), 1j, range(3), slice(1), int,
    decimal.Decimal(1), fractions.Fraction(1, 2), uuid.UUID(int=1), datetime.timedelta(1), datetime.timezone.utc,
    zoneinfo.ZoneInfo('UTC'), datetime.date(2020, 1, 1), datetime.time(1), datetime.datetime(2020, 1, 1), pylibmc.Error('x'),
    collections.OrderedDict(), collections.defaultdict(int), collections.Counter(), collections.deque()]
def message(call):
    try:
        call()
    except TypeError as error:
        return str(error)
print(json.dumps([[base64.b64encode(pickle.dumps(value)).decode(), {
    'set': message(lambda: client.set('k', 1, value)),
    'touch': message(lambda: client.touch('k', value)),
    'flushAll': message(lambda: client.flush_all(value)),
    'incr': message(lambda: client.incr('k', value)),
    'cas': message(lambda: client.cas('k', 1, 1, value)),
    'minCompressLen': message(lambda: client.set('k', 1, min_compress_len=value)),
    'compressLevel': message(lambda: client.set('k', 1, compress_level=value)),
    'binary': message(lambda: pylibmc.Client(['127.0.0.1:1'], binary=value)),
    'setMulti': message(lambda: client.set_multi({'a': 1}, value)),
}] for value in values]))
`

describe.skipIf(!python)('messages about types', () => {
  const rows = (): [string, Record<string, string>][] =>
    JSON.parse(execFileSync(python!, ['-c', program], { encoding: 'utf8' }))

  it('are those of pylibmc', async () => {
    const client = new Client(['127.0.0.1:1'], { behaviors: { cas: 1 } })
    const all = rows()
    expect(all.length).toBeGreaterThan(25)
    for (const [pickled, real] of all) {
      const value = unpickle(Buffer.from(pickled, 'base64'), { preserve: true }) as never
      const ours = {
        set: await message(() => client.set('k', 1, { time: value })),
        touch: await message(() => client.touch('k', value)),
        flushAll: await message(() => client.flushAll({ time: value })),
        incr: await message(() => client.incr('k', value)),
        cas: await message(() => client.cas('k', 1, 1n, { time: value })),
        minCompressLen: await message(() => client.set('k', 1, { minCompressLen: value })),
        compressLevel: await message(() => client.set('k', 1, { compressLevel: value })),
        binary: await message(() => new Client(['127.0.0.1:1'], { binary: value })),
        setMulti: await message(() => client.setMulti({ a: 1 }, { time: value })),
      }
      expect({ pickled, ...ours }).toEqual({ pickled, ...real })
    }
    client.disconnectAll()
  })
})

async function message(call: () => unknown): Promise<string | null> {
  try {
    await call()
  } catch (error) {
    if (error instanceof TypeError) return error.message
  }
  return null
}
