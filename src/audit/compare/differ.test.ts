import { describe, expect, it } from 'vitest'
import { type AuditedOperation, Differ, fits } from './differ.js'
import type { Announced } from './divergence.js'
import type { Outcome } from './outcome.js'

const result = (value: null | boolean | number | string): Outcome => ({ result: value })
const raises = (name: string, retcode?: number): Outcome => ({ raises: { class: name, retcode } })
const said = (name: string, strict: string, raises?: string): Announced => ({
  switch: name,
  operation: '',
  compat: '',
  strict,
  raises,
})

let line = 1
function operation(
  fields: Partial<AuditedOperation> & Pick<AuditedOperation, 'call' | 'compat' | 'strict'>,
): AuditedOperation {
  return {
    line: ++line,
    t: 0,
    client: 'c',
    args: [],
    kwargs: {},
    keys: ['k'],
    servers: [0],
    announced: [],
    gaps: [],
    reasons: [],
    ...fields,
  }
}

describe('differ', () => {
  it('incr on a missing key: None against NotFound is the announced switch', () => {
    const verdict = new Differ().judge(
      operation({
        call: 'incr',
        compat: result(null),
        strict: raises('pylibmc.NotFound', 16),
        announced: [said('missing-counter', 'raises NotFound (16)', 'NotFound')],
      }),
    )
    expect(verdict).toMatchObject({
      status: 'differs',
      impact: 'raises',
      explanations: [{ switch: 'missing-counter', how: 'announced' }],
    })
  })

  it('a difference that nothing announced is unexplained', () => {
    const verdict = new Differ().judge(operation({ call: 'get', compat: result('a'), strict: result('b') }))
    expect(verdict).toMatchObject({ status: 'unexplained', explanations: [] })
  })

  it('an announcement about another outcome of strict explains nothing', () => {
    const verdict = new Differ().judge(
      operation({
        call: 'set',
        compat: result(0),
        strict: raises('pylibmc.TooBig', 37),
        announced: [said('errors', 'raises ConnectionError (3)', 'ConnectionError')],
      }),
    )
    expect(verdict.status).toBe('unexplained')
    expect(fits({ strict: 'raises TooBig (37)', raises: 'TooBig' }, raises('pylibmc.TooBig', 37))).toBe(true)
    expect(fits({ strict: 'True' }, raises('pylibmc.TooBig', 37))).toBe(false)
    expect(
      fits({ strict: 'raises MemcachedError (31)', raises: 'MemcachedError' }, raises('pylibmc.Error')),
    ).toBe(true)
    expect(
      fits(
        { strict: 'raises ConnectionError (3)', raises: 'ConnectionError' },
        raises('pylibmc.ServerDown', 47),
      ),
    ).toBe(true)
    expect(fits({ strict: 'raises ConnectionError (3)', raises: 'ConnectionError' }, result(null))).toBe(
      false,
    )
  })

  const negative = () =>
    operation({
      call: 'set',
      compat: result(true),
      strict: result(true),
      announced: [said('negative-timeout', 'True')],
    })

  it('a negative timeout at set explains a later get of the same key, with the chain of lines', () => {
    const differ = new Differ()
    const set = negative()
    expect(differ.judge(set)).toMatchObject({ status: 'announced', impact: 'state' })
    const get = operation({ call: 'get', compat: result(null), strict: result('v') })
    expect(differ.judge(get)).toMatchObject({
      status: 'differs',
      explanations: [{ switch: 'negative-timeout', how: 'inherited', lines: [set.line] }],
    })
    const other = operation({ call: 'get', keys: ['other'], compat: result(null), strict: result('v') })
    expect(differ.judge(other).status).toBe('unexplained')
  })

  it('the explanation ends when both sides overwrite the key and agree', () => {
    const differ = new Differ()
    differ.judge(negative())
    differ.judge(operation({ call: 'set', compat: result(true), strict: result(true) }))
    expect(differ.judge(operation({ call: 'get', compat: result(null), strict: result('v') })).status).toBe(
      'unexplained',
    )
  })

  it('a get that happens to agree, or an add that both refused, ends nothing', () => {
    const differ = new Differ()
    differ.judge(negative())
    differ.judge(operation({ call: 'get', compat: result(null), strict: result(null) }))
    differ.judge(operation({ call: 'add', compat: result(false), strict: result(false) }))
    expect(differ.judge(operation({ call: 'get', compat: result(null), strict: result('v') })).status).toBe(
      'differs',
    )
  })

  it('consequences hand the cause on: a counter that only one side holds', () => {
    const differ = new Differ()
    const set = negative()
    differ.judge(set)
    const append = operation({ call: 'append', compat: result(false), strict: result(true) })
    expect(differ.judge(append).status).toBe('differs')
    const verdict = differ.judge(operation({ call: 'get', compat: result(null), strict: result('vw') }))
    expect(verdict.explanations[0]?.lines).toEqual([set.line, append.line])
  })

  it('a spelling announced for a delete leaves no trace on the key', () => {
    const differ = new Differ()
    const verdict = differ.judge(
      operation({
        call: 'delete',
        compat: result(1),
        strict: result(true),
        announced: [said('return-values', 'True')],
      }),
    )
    expect(verdict).toMatchObject({ status: 'differs', impact: 'spelling' })
    expect(differ.judge(operation({ call: 'get', compat: result(null), strict: result('v') })).status).toBe(
      'unexplained',
    )
  })

  it('a flush_all that reached not all servers on one side concerns every key until a flush reaches all', () => {
    const differ = new Differ()
    differ.judge(
      operation({
        call: 'flush_all',
        keys: [],
        servers: [0, 1],
        compat: result(null),
        strict: raises('pylibmc.SomeErrors', 19),
        announced: [said('errors', 'raises SomeErrors (19)', 'SomeErrors')],
      }),
    )
    expect(
      differ.judge(operation({ call: 'get', keys: ['x'], compat: result('v'), strict: result(null) })).status,
    ).toBe('differs')
    differ.judge(
      operation({ call: 'flush_all', keys: [], servers: [0, 1], compat: result(null), strict: result(null) }),
    )
    expect(
      differ.judge(operation({ call: 'get', keys: ['y'], compat: result('v'), strict: result(null) })).status,
    ).toBe('unexplained')
  })

  it('after a fault, a server that only one side still avoids is a consequence of it; calm ends that', () => {
    const differ = new Differ()
    differ.fault(0, 50)
    line = 50
    const down = operation({ call: 'get', compat: result(null), strict: raises('pylibmc.ServerDown', 47) })
    expect(differ.judge(down)).toMatchObject({
      status: 'differs',
      explanations: [{ how: 'inherited', lines: [50] }],
    })
    const elsewhere = operation({
      call: 'get',
      servers: [1],
      compat: result(null),
      strict: raises('pylibmc.ServerDown', 47),
    })
    expect(differ.judge(elsewhere).status).toBe('unexplained')
    differ.judge(operation({ call: 'get', keys: ['q'], compat: result('v'), strict: result('v') }))
    const later = operation({
      call: 'get',
      keys: ['z'],
      compat: result(null),
      strict: raises('pylibmc.ServerDown', 47),
    })
    expect(differ.judge(later).status).toBe('unexplained')
  })

  it('a method that pylibmc does not have is explained by the signature', () => {
    const verdict = new Differ().judge(
      operation({
        call: 'forget_dead_hosts',
        keys: [],
        compat: result(null),
        strict: raises('builtins.AttributeError'),
        gaps: [{ kind: 'method', name: 'forget_dead_hosts', text: '' }],
      }),
    )
    expect(verdict).toMatchObject({
      status: 'differs',
      explanations: [{ switch: 'missing-method', how: 'signature' }],
    })
  })
})
