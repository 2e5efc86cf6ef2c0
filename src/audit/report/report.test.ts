import { describe, expect, it } from 'vitest'
import type { AuditedOperation, Verdict } from '../compare/differ.js'
import { FidelityCheck } from '../compare/fidelity.js'
import type { Outcome } from '../compare/outcome.js'
import { renderHtml } from '../render/html.js'
import { renderJson } from '../render/json.js'
import { renderTerminal } from '../render/terminal.js'
import { failures } from './exit.js'
import type { Report } from './report.js'
import { ReportBuilder } from './report-builder.js'

const hostile = '<script>alert("x")</script>\x1b[31m'

const operation = (fields: Partial<AuditedOperation>): AuditedOperation => ({
  line: 2,
  t: 0.5,
  client: 'c',
  call: 'get',
  args: ['k'],
  kwargs: {},
  keys: ['k'],
  servers: [0],
  announced: [],
  gaps: [],
  reasons: [],
  compat: { result: null },
  strict: { result: null },
  ...fields,
})
const verdict = (status: Verdict['status'], impact: Verdict['impact'], ...switches: string[]): Verdict => ({
  status,
  impact,
  explanations: switches.map((name) => ({ switch: name, how: 'announced', impact, lines: [2] })),
})

function sample(): Report {
  const builder = new ReportBuilder()
  const notFound: Outcome = {
    raises: { class: 'pylibmc.NotFound', retcode: 16, message: '1 keys not found' },
  }
  for (let i = 0; i < 10; i++) builder.add(operation({}), verdict('same', 'state'))
  for (let i = 0; i < 5; i++) {
    builder.add(
      operation({ call: 'delete', compat: { result: 1 }, strict: { result: true }, at: 'views.logout' }),
      verdict('differs', 'spelling', 'return-values'),
    )
  }
  builder.add(
    operation({ call: 'incr', args: [hostile], strict: notFound, at: hostile, line: 9 }),
    verdict('differs', 'raises', 'missing-counter'),
  )
  builder.add(
    operation({ call: 'set', compat: { result: true }, strict: { result: true } }),
    verdict('announced', 'state', 'value-encoding'),
  )
  builder.add(
    operation({ compat: { result: hostile }, strict: { result: 'b' }, line: 12 }),
    verdict('unexplained', 'value'),
  )
  const fidelity = new FidelityCheck('compat')
  fidelity.add(operation({ recorded: { result: null } }))
  fidelity.add(operation({ recorded: { result: hostile } }))
  return builder.build(
    {
      memshim: '0.1.0',
      trace: {
        name: hostile,
        library: 'python-memcached',
        version: '1.59',
        servers: 1,
        clients: 1,
        faults: 0,
        seconds: 3,
      },
      settings: {
        from: 'python-memcached-1.59',
        to: 'pylibmc-1.6.3',
        preset: 'python-memcached-1.59',
        servers: '1 embedded server',
        behaviors: {},
        negativeTimeout: 'zero',
      },
      foundOutages: [],
      fidelity: fidelity.result(),
      timing: { started: '2026-01-01T00:00:00.000Z', seconds: 1, operationsPerSecond: 18 },
    },
    [
      {
        name: 'missing-counter',
        title: 'incr on a missing key',
        pythonMemcached: 'None',
        pylibmc: 'raises NotFound',
        advice: 'Catch NotFound.',
        docs: 'switches.md#missing-counter',
      },
    ],
  )
}

describe('report', () => {
  it('counts every operation once, and puts what raises before what happens more often', () => {
    const report = sample()
    expect(report.totals).toEqual({ operations: 18, same: 10, announced: 1, differs: 6, unexplained: 1 })
    expect(report.switches.map((row) => [row.switch, row.count, row.outcomes])).toEqual([
      ['missing-counter', 1, 1],
      ['return-values', 5, 5],
      ['value-encoding', 1, 0],
    ])
    expect(report.callSites.map((site) => [site.at, site.differs])).toEqual([
      ['views.logout', 5],
      [hostile, 1],
    ])
    expect(report.unexplained).toMatchObject([{ line: 12, call: "get('k')" }])
    expect(report.fidelity).toMatchObject({ compared: 2, same: 1, differs: 1 })
  })

  it('the course of a long trace is bounded and loses no operation', () => {
    const builder = new ReportBuilder()
    for (let i = 0; i < 10_001; i++)
      builder.add(operation({}), verdict(i % 7 === 0 ? 'differs' : 'same', 'truth', 'x'))
    const { course, totals } = builder.build({} as never, [])
    expect(course.tallies.length).toBeLessThanOrEqual(120)
    expect(course.tallies.reduce((sum, tally) => sum + tally.operations, 0)).toBe(10_001)
    expect(course.tallies.reduce((sum, tally) => sum + tally.differs, 0)).toBe(totals.differs)
  })

  it('is the same after JSON', () => {
    const report = sample()
    expect(JSON.parse(renderJson(report))).toEqual(JSON.parse(JSON.stringify(report)))
  })

  it('--fail-on: a switch, any, unexplained', () => {
    const report = sample()
    expect(failures(report, [])).toEqual([])
    expect(failures(report, ['negative-timeout'])).toEqual([])
    expect(failures(report, ['any'])).toEqual(['any: 7 operations have another outcome'])
    expect(failures(report, ['unexplained', 'return-values'])).toEqual([
      'unexplained: 1 operations',
      'return-values: 5 operations',
    ])
  })

  it('--fail-on: with a framework view, any and a switch count what reaches the application', () => {
    const switches = {
      'return-values': { reaching: 0, absorbed: 5 },
      'missing-counter': { reaching: 2, absorbed: 1 },
    }
    const counts = {
      frameworks: [],
      differences: 8,
      reaching: 2,
      absorbed: 6,
      raises: 1,
      raisingPlaces: 1,
      unknown: 0,
      examples: [],
    }
    const report = { ...sample(), frameworks: { ...counts, switches } }
    expect(failures(report, ['return-values', 'negative-timeout'])).toEqual([])
    expect(failures(report, ['any', 'missing-counter', 'unexplained'])).toEqual([
      'any: 2 operations have another outcome in the application',
      'missing-counter: 2 operations in the application',
      'unexplained: 1 operations',
    ])
    expect(failures({ ...report, frameworks: { ...counts, switches: {}, reaching: 0 } }, ['any'])).toEqual([])
  })
})

describe('renderers', () => {
  it('the terminal report keeps to its width and shows no control character of the trace', () => {
    for (const width of [40, 80, 120]) {
      const text = renderTerminal(sample(), { width })
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(
        Math.max(width, 72),
      )
      expect(text).not.toContain('\x1b')
      expect(text).toContain('Catch NotFound.')
    }
  })

  it('the HTML report escapes every value, and asks nothing of the network', () => {
    const html = renderHtml(sample())
    expect(html.match(/<script/g)).toHaveLength(1)
    expect(html).toContain('&#60;script&#62;')
    expect(html).not.toMatch(/(?:src|href)="(?!#)/)
    expect(html).not.toMatch(/url\(|@import|https?:/)
    expect(html.match(/<(?:article|details|table|section|svg)\b/g)?.length).toBe(
      html.match(/<\/(?:article|details|table|section|svg)>/g)?.length,
    )
  })
})
