/**
 * Every calling form of python-memcached's methods on the real pymemcache (`fixtures/record/calls/calling_forms_pymemcache.py`), against what the
 * audit predicts for an application that changes its constructor and nothing else; and the constructor as the application has it.
 */
import { expect, it } from 'vitest'
import { raised } from '../../../src/audit/index.js'
import { unchangedConstruction } from '../../../src/audit/methods/constructor/unchanged-constructor.js'
import { fromTypedJson } from '../../../src/values/index.js'
import { compareForms } from './calling-forms.js'
import { formsWithPymemcache, recordedPymemcache, targetOptionsOf } from './calling-forms-pymemcache.js'

const runs = recordedPymemcache.runs
  // The longest programs need no third column of the same version.
  .filter(({ library, programs }) => library !== 'pymemcache-3.5.2' || programs !== 'calling-forms.json')
  .map(({ library, programs, kwargs }) => [programs, library, targetOptionsOf(kwargs)] as const)

/** Not explained, each with its reason. */
const unexplainedForms: Readonly<Record<string, string>> = {
  'set_multi, mapping: dict with a large value: get':
    'python-memcached itself misses here: its connection stalls after the value over the limit',
}

it.each(runs)(
  '%s on %s: every call is predicted with its class and value',
  { timeout: 300_000 },
  async (file, target, targetOptions) => {
    const forms = formsWithPymemcache(file, target)
    const { target: found, unexplained } = await compareForms(
      forms,
      'python-memcached-1.59',
      target,
      { targetOptions },
      // The names that the recording gives to the servers: they decide the placement.
      (i) => (forms.servers > 1 ? `server-${i}:11211` : '10.0.0.1:11211'),
    )
    expect(found.wrong).toEqual([])
    expect(unexplained.filter((one) => !Object.hasOwn(unexplainedForms, one))).toEqual([])
    expect(found.right).toBeGreaterThan(1000)
    // What the audit says that it cannot tell.
    expect(found.uncertain).toBeLessThan(found.right / 100)
  },
)

it.each(Object.entries(recordedPymemcache.constructors))('the constructor of %s as it is', (name, cases) => {
  for (const { servers, kwargs, outcome, get } of cases) {
    // 3.5.2 takes the list, and every call raises: socket.gaierror where it has two items, ValueError else.
    const real = 'raises' in outcome ? outcome : get
    let predicted: unknown
    try {
      unchangedConstruction(
        { name: 'pymemcache', version: name.slice('pymemcache-'.length) },
        {
          servers: servers.map((server) =>
            typeof server === 'string' ? server : (server as { $tuple: [string, number] }).$tuple,
          ),
          kwargs,
        },
      )
    } catch (error) {
      predicted = raised(error)
    }
    const { message: _, ...rest } = (predicted as { raises: { class: string; message: string } }).raises
    expect({ raises: rest }, JSON.stringify([servers, kwargs])).toEqual(real)
    expect(fromTypedJson(servers as never)).toHaveLength(servers.length)
  }
})
