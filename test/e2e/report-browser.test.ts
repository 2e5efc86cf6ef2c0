/** The HTML report in a real browser: clicked, by keyboard, dark, narrow, and without a word on the console. Needs Chromium. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { audit, parseOutage, readTrace, renderHtml, type TraceEvent, traceOf } from '../../src/audit/index.js'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, '.cache', 'report-browser')
const program = [
  process.env.MEMSHIM_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path))

/** In the page: words of tables that do not stand in one line. Paths may break after dots, slashes and underscores, and code anywhere. */
const brokenWords = `() => {
  for (const part of document.querySelectorAll('details')) part.open = true
  const found = []
  for (const cell of document.querySelectorAll('td, th')) {
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT)
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      if (text.parentElement.closest('code')) continue
      for (const { 0: word, index } of text.data.matchAll(/[^\\s./_]{2,24}/g)) {
        const range = document.createRange()
        range.setStart(text, index)
        range.setEnd(text, index + word.length)
        if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) found.push(word)
      }
    }
  }
  return found
}`

describe.skipIf(program === undefined)('HTML report in Chromium', { timeout: 120_000 }, () => {
  let browser: Browser
  const said: string[] = []

  async function open(name: string, width = 1000, dark = false): Promise<Page> {
    const page = await browser.newPage({
      viewport: { width, height: 900 },
      colorScheme: dark ? 'dark' : 'light',
    })
    page.on('console', (message) => said.push(message.text()))
    page.on('pageerror', (error) => said.push(error.message))
    page.on('request', (request) => {
      if (!request.url().startsWith('file:')) said.push(request.url())
    })
    await page.goto(pathToFileURL(join(folder, name)).href)
    return page
  }

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true })
    const django = await readTrace(join(root, 'fixtures', 'traces', 'django-4.0-cache.jsonl.gz'))
    writeFileSync(join(folder, 'django.html'), renderHtml(await audit(django, { framework: 'Django' })))
    const busy = await audit(traceOf('a-trace-with-a-rather-long-name.jsonl.gz', header, events()), {
      outages: [parseOutage('server 1: 2s-4s')],
      longestWait: 20,
    })
    writeFileSync(join(folder, 'busy.html'), renderHtml(busy))
    browser = await chromium.launch({
      ...(program === undefined ? {} : { executablePath: program }),
      args: ['--no-sandbox'],
    })
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
  })

  it('tables sort by click and by keyboard', async () => {
    const page = await open('django.html')
    const table = page.locator('table.sortable').last()
    const numbers = () =>
      table
        .locator('tbody tr td:nth-child(5)')
        .evaluateAll((cells) => cells.map((cell) => Number(cell.textContent)))
    const head = table.getByRole('button', { name: 'Operations' })
    await head.click()
    expect(await numbers()).toEqual([...(await numbers())].sort((a, b) => b - a))
    await head.focus()
    await page.keyboard.press('Enter')
    expect(await numbers()).toEqual([...(await numbers())].sort((a, b) => a - b))
    expect(await table.locator('th').nth(4).getAttribute('aria-sort')).toBe('ascending')
    await table.getByRole('button', { name: 'Method' }).click()
    const names = await table.locator('tbody tr td:nth-child(1)').allTextContents()
    expect(names).toEqual([...names].sort((a, b) => b.localeCompare(a)))
    await page.close()
  })

  it('the filter shows one switch alone, and every one again', async () => {
    const page = await open('django.html')
    const cards = page.locator('article.switch[data-switches]:visible')
    const all = await cards.count()
    await page.getByLabel('Show only').selectOption('oversize')
    expect(await cards.count()).toBe(1)
    expect(await page.locator('table.glance tbody tr:visible').count()).toBe(1)
    await page.getByLabel('Show only').selectOption('')
    expect(await cards.count()).toBe(all)
    await page.close()
  })

  it('every link leads to a place of the page', async () => {
    const page = await open('busy.html')
    const broken = await page.evaluate(
      `[...document.querySelectorAll('a')].map((a) => a.getAttribute('href') ?? '')
        .filter((href) => !document.getElementById(decodeURIComponent(href.slice(1))))`,
    )
    expect(broken).toEqual([])
    await page.close()
  })

  it.each(['django.html', 'busy.html'])(
    '%s at 400 pixels: nothing is wider than the page, no name is broken',
    async (name) => {
      const page = await open(name, 400)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(400)
      const broken = await page.evaluate(
        `[...document.querySelectorAll('td.name code, article.switch h3 code, .pair a')]
          .filter((part) => part.getClientRects().length > 1).map((part) => part.textContent)`,
      )
      expect(broken).toEqual([])
      expect(await page.evaluate(`(${brokenWords})()`)).toEqual([])
      const hidden = await page.evaluate(
        `[...document.querySelectorAll('table:is(.glance, .uses, .methods)')].filter((table) => table.scrollWidth > table.parentElement.clientWidth).map((table) => table.className)`,
      )
      expect(hidden).toEqual([])
      // The headline leaves room: what to change begins on the first two screens.
      const top = await page.locator('.verdict').evaluate((part) => part.getBoundingClientRect().height)
      expect(top).toBeLessThan(260)
      await page.screenshot({ path: join(folder, `${name}.narrow.png`), fullPage: true })
      await page.close()
    },
  )

  it.each([400, 640, 1000])(
    'at %i pixels no label of a chart lies on its bars or on another label',
    async (width) => {
      for (const name of ['django.html', 'busy.html']) {
        const page = await open(name, width)
        const touching = await page.evaluate(`(() => {
        const found = []
        const boxes = (parts) => [...parts].map((part) => [part.textContent, part.getBoundingClientRect()]).filter(([, box]) => box.width > 0)
        const meet = (a, b) => a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5
        for (const chart of document.querySelectorAll('.course, .outages')) {
          const labels = boxes(chart.querySelectorAll('span'))
          const bars = boxes(chart.querySelectorAll('svg'))
          labels.forEach(([text, box], i) => {
            if (bars.some(([, bar]) => meet(box, bar)) || labels.some(([, other], j) => j > i && meet(box, other))) found.push(text)
            if (box.right > innerWidth) found.push(text + ' outside')
          })
          if (labels.length < 2 || bars.length === 0) found.push('no labels')
        }
        return found
      })()`)
        expect(touching).toEqual([])
        await page.close()
      }
    },
  )

  it('dark and light have readable text', async () => {
    for (const dark of [true, false]) {
      const page = await open('busy.html', 1000, dark)
      const colors = (await page.evaluate(
        `[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]
          .map((text) => text.match(/\\d+/g).slice(0, 3).map(Number))`,
      )) as readonly (readonly number[])[]
      expect(contrast(colors[0]!, colors[1]!)).toBeGreaterThan(7)
      await page.screenshot({ path: join(folder, `busy.${dark ? 'dark' : 'light'}.png`), fullPage: true })
      await page.close()
    }
  })

  it('charts have the time of the trace, and outages their place', async () => {
    const page = await open('busy.html')
    expect(await page.locator('.course .axis span').allTextContents()).toContain('0 s')
    expect(await page.locator('.outages rect').count()).toBeGreaterThan(0)
    expect(await page.locator('.load').count()).toBe(6)
    await page.close()
  })

  it('nothing was said on the console, and nothing was asked of the network', () => {
    expect(said).toEqual([])
  })
})

const header = {
  format: 'memshim-trace/1',
  library: 'python-memcached',
  version: '1.59',
  servers: 3,
} as const

function events(): TraceEvent[] {
  const place = { client: 'web-1', kwargs: {} }
  const servers = ['10.0.0.1:11211', '10.0.0.2:11211', '10.0.0.3:11211']
  const calls = Array.from({ length: 300 }, (_, i): TraceEvent => {
    const t = 0.02 * (i + 1)
    const at = `shop/checkout/views/with/a/long/path/module_${i % 7}.py:${10 + i}`
    const name = ['set', 'get', 'incr', 'delete', 'get'][i % 5]!
    const key = `${name === 'incr' ? 'hits' : 'cart'}:${i % 40}`
    const args = name === 'set' ? [key, 'x'.repeat(30)] : [key]
    return { ...place, kind: 'call', line: i + 3, t, call: name, args, at }
  })
  return [{ ...place, kind: 'new', line: 2, t: 0, servers }, ...calls]
}

/** Of WCAG 2. */
function contrast(a: readonly number[], b: readonly number[]): number {
  const luminance = (rgb: readonly number[]) => {
    const [r, g, blue] = rgb.map((n) =>
      n / 255 <= 0.03928 ? n / 255 / 12.92 : ((n / 255 + 0.055) / 1.055) ** 2.4,
    )
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * blue!
  }
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
  return (light! + 0.05) / (dark! + 0.05)
}
