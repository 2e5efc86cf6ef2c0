/** Byte for byte what Python 2.7's picklers wrote (fixtures/vectors/pickle-python2.json). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fromTypedJson, type TypedJson, toTypedJson } from '../../typed-json.js'
import { unpickle } from '../read/reader.js'
import { pickleByPython2 } from './python2.js'

interface Row {
  readonly value: TypedJson
  readonly cPickle: readonly string[]
  readonly pickle: readonly string[]
}

const { rows }: { rows: readonly Row[] } = JSON.parse(
  readFileSync(new URL('../../../../fixtures/vectors/pickle-python2.json', import.meta.url), 'utf8'),
)

describe.each(['cPickle', 'pickle'] as const)('%s', (module) => {
  it.each([0, 1, 2])('protocol %i', (protocol) => {
    expect(rows.length).toBeGreaterThan(250)
    for (const row of rows) {
      const value = fromTypedJson(row.value)
      const wanted = Buffer.from(row[module][protocol]!, 'base64')
      const found = pickleByPython2(module, value, { protocol })
      if (!found.equals(wanted)) {
        let at = 0
        while (found[at] === wanted[at]) at++
        const near = (bytes: Buffer) => bytes.toString('latin1', Math.max(0, at - 120), at + 60)
        expect(near(found), JSON.stringify(row.value).slice(0, 2000)).toBe(near(wanted))
      }
      const read = unpickle(found, { preserve: true, encoding: 'bytes' })
      expect(toTypedJson(read)).toEqual(toTypedJson(unpickle(wanted, { preserve: true, encoding: 'bytes' })))
    }
  })
})
