/** What a trace holds (keys, values, call sites, names, messages) is shown in a report, and never becomes markup or a terminal's command. */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  audit,
  renderHtml,
  renderJson,
  renderTerminal,
  type TraceEvent,
  traceOf,
} from '../../src/audit/index.js'

const hostile =
  '</script><script>alert(1)</script><img src=x onerror=alert(1)>"\'`--><svg/onload=alert(1)>&#x3c;'
const escapes = '\x1b]0;title\x07\x1b[2J\x9b31m\u202e'
const nasty = `${hostile}${escapes}`

async function report() {
  const place = { line: 2, t: 0, client: nasty }
  const events: TraceEvent[] = [
    { ...place, kind: 'new', servers: [nasty], kwargs: {} },
    ...['get', 'set', 'incr', 'delete', 'append', nasty].flatMap((call, i): TraceEvent[] => {
      const common = { ...place, kind: 'call', line: i + 3, kwargs: { [nasty]: nasty }, at: nasty } as const
      return [
        { ...common, call, args: [nasty, nasty], outcome: { result: nasty } },
        {
          ...common,
          call,
          args: ['k', nasty],
          kwargs: {},
          outcome: { raises: { class: nasty, message: nasty } },
        },
        { ...common, call, args: ['k'], kwargs: {}, outcome: { result: { [nasty]: [nasty] } } },
      ]
    }),
  ]
  const header = {
    format: 'memshim-trace/1',
    library: 'python-memcached',
    version: '1.59',
    servers: 1,
    source: nasty,
    recorded: nasty,
  } as const
  return audit(traceOf(nasty, header, events))
}

test('HTML: only the tags of the page itself, without a handler, another script or a link to elsewhere', async () => {
  const page = renderHtml(await report())
  const scripts = page.split('<script>')
  expect(scripts).toHaveLength(2)
  const [script, after] = scripts[1]!.split('</script>')
  const hash = createHash('sha256').update(script!).digest('base64')
  expect(page).toContain(`script-src 'sha256-${hash}'"`)
  const html = `${scripts[0]}${after}`
  expect(html).toContain('alert(1)')
  const tags = [...html.matchAll(/<\/?([a-z!][a-z0-9!]*)([^>]*)>/gi)]
  const names = new Set(tags.map(([, name]) => name!.toLowerCase()))
  for (const name of ['script', 'img', 'iframe', 'object', 'link', 'base', 'form'])
    expect(names).not.toContain(name)
  for (const [, , attributes] of tags) expect(attributes).not.toMatch(/\son[a-z]+\s*=|javascript:|src=x/i)
  for (const [, , attributes] of tags) {
    const [, link] = /\shref="([^"]*)"/.exec(attributes!) ?? []
    if (link !== undefined) expect(link).toMatch(/^#/)
  }
  expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-`)
})

test('terminal: nothing but text, line ends and the colours of memshim itself', async () => {
  const shown = renderTerminal(await report(), { color: true })
  expect(shown).toContain('alert(1)')
  expect(shown.replace(/\x1b\[\d+m/g, '')).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/)
})

test('JSON: what is read back is what was there', async () => {
  const made = await report()
  expect(JSON.parse(renderJson(made))).toEqual(JSON.parse(JSON.stringify(made)))
})
