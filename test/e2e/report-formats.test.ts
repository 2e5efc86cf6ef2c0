/** The report in every form, on the shipped traces: what CI systems and data engines read, and what is new against a baseline. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  AuditOptionsError,
  audit,
  knownSwitches,
  newFindings,
  type OperationRow,
  operationRow,
  parseBaseline,
  type Report,
  readTrace,
  renderHtml,
  renderJson,
  renderJunit,
  renderMarkdown,
  renderSarif,
  renderTerminal,
  rowColumns,
  traceOf,
} from '../../src/audit/index.js'

const root = join(import.meta.dirname, '..', '..')
const rows: OperationRow[] = []
let django: Report
let library: Report

beforeAll(async () => {
  const traces = join(root, 'fixtures', 'traces')
  django = await audit(await readTrace(join(traces, 'django-4.0-cache.jsonl.gz')), {
    onOperation: (operation, verdict) => rows.push(operationRow(operation, verdict)),
  })
  library = await audit(await readTrace(join(traces, 'python-memcached-1.59-tests.jsonl.gz')))
}, 120_000)

describe('baseline', () => {
  it('a report has nothing that is new against itself', () => {
    expect(newFindings(django, parseBaseline(renderJson(django)))).toEqual([])
  })

  it('another application has switches, places and risks that are new', () => {
    const news = newFindings(library, django)
    expect(news.filter(({ kind }) => kind === 'switch').map(({ name }) => name)).toContain('missing-argument')
    expect(news.filter(({ kind }) => kind === 'call-site').every(({ at }) => at?.startsWith('tests.'))).toBe(
      true,
    )
    expect(news.filter(({ kind }) => kind === 'risk').map(({ name }) => name)).toEqual(['out-of-step'])
  })

  it('refuses a value that is not a report', () => {
    for (const text of [
      '',
      '[]',
      '{}',
      'null',
      '{"format":"memshim-audit/2"}',
      '{"format":"memshim-audit/1"}',
    ])
      expect(() => parseBaseline(text, 'x.json')).toThrow(AuditOptionsError)
  })
})

describe('rows', () => {
  it('one for every operation, with the columns of the published schema', () => {
    const schema = JSON.parse(readFileSync(join(root, 'schemas', 'audit-row-1.schema.json'), 'utf8'))
    expect(rows).toHaveLength(django.totals.operations)
    expect(rowColumns.map(([name]) => name)).toEqual(Object.keys(schema.properties))
    expect(schema.required).toEqual(Object.keys(schema.properties))
    for (const row of rows) {
      expect(Object.keys(row)).toEqual(schema.required)
      expect(schema.properties.status.enum).toContain(row.status)
      expect(schema.properties.impact.enum).toContain(row.impact)
    }
    expect(rows.filter(({ status }) => status === 'differs')).toHaveLength(django.totals.differs)
  })
})

describe('formats', () => {
  it('JUnit has a case for every switch, failed where it changes an outcome', () => {
    const text = renderJunit(django, knownSwitches())
    expect(text.match(/<testcase /g)).toHaveLength(knownSwitches().length + 1)
    expect(text.match(/<failure /g)).toHaveLength(
      django.switches.filter(({ outcomes }) => outcomes > 0).length,
    )
    expect(renderJunit(django, knownSwitches(), [])).not.toContain('<failure')
  })

  it('what pymemcache gives is a failed case, too, and is named as pymemcache in every form', async () => {
    const header = {
      format: 'memshim-trace/1',
      library: 'python-memcached',
      version: '1.59',
      servers: 1,
    } as const
    const call = { kind: 'call', t: 0, client: 'c', kwargs: {} } as const
    const report = await audit(
      traceOf('two calls', header, [
        { ...call, line: 2, call: 'set', args: ['a', 'text', 60] },
        { ...call, line: 3, call: 'get', args: ['a'] },
      ]),
      { to: 'pymemcache-4.0', calls: 'repaired' },
    )
    const beside = report.switches.filter(
      ({ switch: name, outcomes }) => outcomes > 0 && !knownSwitches().some((known) => known.name === name),
    )
    expect(beside.length).toBeGreaterThan(0)
    const junit = renderJunit(report, knownSwitches())
    for (const row of beside)
      expect(junit).toContain(`<testcase classname="memshim.audit" name="${row.switch}" time="0"><failure`)
    for (const text of [
      junit,
      renderMarkdown(report),
      renderSarif(report),
      renderTerminal(report),
      renderHtml(report),
    ]) {
      expect(text).toContain('pymemcache-4.0')
      expect(text).not.toMatch(/\bpylibmc: |on pylibmc|, pylibmc /)
    }
  })

  it('every analysis is a section of every form', () => {
    const { analyses = [], hotKeys = [] } = django
    expect(analyses.length).toBeGreaterThan(3)
    const forms = [
      renderTerminal(django, { width: 140 }),
      renderMarkdown(django),
      renderHtml(django),
      renderJson(django),
    ]
    for (const form of forms) {
      const plain = form.replaceAll('\\', '')
      for (const { title, docs, rows } of analyses) {
        expect(plain).toContain(title.replaceAll("'", form === forms[2] ? '&#39;' : "'"))
        expect(plain).toContain(docs)
        for (const { callSites } of rows)
          if (callSites[0]) expect(plain.replace(/\s+|<wbr>/g, '')).toContain(callSites[0].at)
      }
      if (hotKeys[0]) expect(plain).toContain(hotKeys[0].key)
    }
  })

  it('SARIF has a rule for every switch and a result for every place', () => {
    const sarif = JSON.parse(renderSarif(library, newFindings(library, django)))
    const [run] = sarif.runs
    expect(run.tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(
      library.switches.map((row) => row.switch),
    )
    for (const result of run.results) expect(run.tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId)
    const states = run.results.map((result: { baselineState: string }) => result.baselineState)
    expect(new Set(states)).toEqual(new Set(['new', 'unchanged']))
  })

  it('nothing of a trace is markup in Markdown or XML', async () => {
    const hostile = '</details>\n# x | <b>`` ]]>&\u0000\ud800'
    const header = {
      format: 'memshim-trace/1',
      library: 'python-memcached',
      version: '1.59',
      servers: 1,
    } as const
    const report = await audit(
      traceOf(hostile, header, [
        { kind: 'call', line: 2, t: 0, client: 'c', call: 'incr', args: [hostile], kwargs: {}, at: hostile },
        {
          kind: 'call',
          line: 3,
          t: 0,
          client: 'c',
          call: 'delete',
          args: ['none'],
          kwargs: {},
          at: `${hostile}.py:3`,
        },
      ]),
    )
    const markdown = renderMarkdown(report)
    expect(markdown.split('\n').filter((line) => /^(#|<)/.test(line))).toEqual([
      expect.stringMatching(/^## memshim audit: /),
      expect.stringMatching(/^<details><summary>How to fix/),
      ...report.switches.map((row) => `#### ${row.switch}`),
      '</details>',
      expect.stringMatching(/^<details><summary>How the application uses its cache/),
      '</details>',
    ])
    const xml = renderJunit(report, knownSwitches())
    expect(xml).not.toMatch(/[\u0000-\u0008\ud800-\udfff]/)
    expect(xml).not.toContain('<b>')
    expect(JSON.parse(renderSarif(report)).runs[0].results.length).toBeGreaterThan(0)
  })
})
