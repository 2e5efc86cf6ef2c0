/**
 * Types that programs depend on, seen from outside: the compiler checks this file (`npm run check`), and each `@ts-expect-error` is a
 * program that must not compile.
 */
import { expectTypeOf } from 'vitest'
import * as compat from '../../src/compat/index.js'
import { MigratingClient } from '../../src/migration/index.js'
import * as strict from '../../src/strict/index.js'
import { PyDecimal, pickle, pylibmcEncoding, unpickle } from '../../src/values/index.js'

/** Compiled, and never called. */
export const programs = {
  async strict(client: strict.Client) {
    expectTypeOf(client.get('k')).resolves.toEqualTypeOf<unknown>()
    expectTypeOf(client.get<number>('k')).resolves.toEqualTypeOf<number | undefined>()
    expectTypeOf(client.set('k', 1)).resolves.toEqualTypeOf<boolean>()
    expectTypeOf(client.set('k', 1, { time: 60 })).resolves.toEqualTypeOf<boolean>()
    expectTypeOf(client.getMulti(['a'])).resolves.toMatchTypeOf<ReadonlyMap<string, unknown>>()
    expectTypeOf(client.setMulti({ a: 1 })).resolves.toMatchTypeOf<readonly string[]>()
    expectTypeOf(client.incr('k')).resolves.toEqualTypeOf<number | bigint>()
    expectTypeOf(client.behaviors.ketama).toEqualTypeOf<number>()
    expectTypeOf(client.clone()).toEqualTypeOf<strict.Client>()
    const undefinedTimeout: { timeout?: number } = {}
    expectTypeOf<typeof undefinedTimeout>().toMatchTypeOf<strict.ClientOptions>()
    // @ts-expect-error no such option
    void client.set('k', 1, { ttl: 60 })
    // @ts-expect-error a key is text or bytes
    void client.get(5)
    // @ts-expect-error no such behavior
    client.behaviors = { ketamaa: 1 }
    // @ts-expect-error no such hash
    void new strict.Client(['127.0.0.1'], { behaviors: { hash: 'sha1' } })
    // @ts-expect-error no such protocol
    void new strict.Client(['127.0.0.1'], { protocol: 'meta' })
    await using disposable = client
    return disposable
  },
  compat(client: compat.Client) {
    expectTypeOf(client.get('k')).resolves.toEqualTypeOf<unknown>()
    expectTypeOf(client.get<number>('k')).resolves.toEqualTypeOf<number | null | undefined>()
    expectTypeOf(client.set('k', 1, 60)).resolves.toEqualTypeOf<boolean | 0>()
    expectTypeOf(client.delete('k')).resolves.toEqualTypeOf<boolean | 0 | 1>()
    expectTypeOf(client.incr('k')).resolves.toEqualTypeOf<number | bigint | null>()
    expectTypeOf(client.getMulti([1, 2])).resolves.toEqualTypeOf<Map<1 | 2, unknown>>()
    client.on('divergence', (divergence) => {
      expectTypeOf(divergence.switch).toMatchTypeOf<string>()
      expectTypeOf(divergence.compat).toEqualTypeOf<string>()
    })
    // @ts-expect-error no such preset
    void new compat.Client(['127.0.0.1'], { emulate: '1.59' })
    // @ts-expect-error no such switch
    void new compat.Client(['127.0.0.1'], { switches: { keyz: 'pylibmc' } })
    // @ts-expect-error no such option
    void client.getMulti(['a'], { prefix: 'p:' })
  },
  migrating(client: MigratingClient) {
    expectTypeOf(client.get<string>('k')).resolves.toEqualTypeOf<string | undefined>()
    // @ts-expect-error two sides are needed
    void new MigratingClient({ old: client })
  },
  values() {
    expectTypeOf(pickle(new PyDecimal('1.5'))).toMatchTypeOf<Uint8Array>()
    expectTypeOf(unpickle(Buffer.of())).toEqualTypeOf<unknown>()
    expectTypeOf(pylibmcEncoding().decode).parameter(0).toEqualTypeOf<number>()
    // @ts-expect-error no such way to read dicts
    unpickle(Buffer.of(), { dicts: 'records' })
  },
}
