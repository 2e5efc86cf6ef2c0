/** Charts of the HTML report as inline SVG: stacked bars of the four kinds of operations. */
import type { Report, Tally } from '../report/report.js'
import { timeText } from './words.js'

const kinds = ['same', 'announced', 'differs', 'unexplained'] as const

/** One horizontal bar; every kind that occurs is at least visible. */
export function stackedBar(tally: Tally, height: number, scale = tally.operations): string {
  const width = 1000
  const whole = Math.max(1, scale)
  const widths = kinds.map((kind) => (tally[kind] === 0 ? 0 : Math.max(6, (tally[kind] / whole) * width)))
  const room = Math.max(1, (tally.operations / whole) * width)
  const shrink = Math.min(1, Math.max(room, 6) / Math.max(1, sum(widths)))
  let x = 0
  const rects = kinds.map((kind, i) => {
    const w = (widths[i] ?? 0) * shrink
    const rect =
      w === 0
        ? ''
        : `<rect class="s-${kind}" x="${x.toFixed(1)}" width="${w.toFixed(1)}" height="${height}"/>`
    x += w
    return rect
  })
  const label = kinds.map((kind) => `${kind} ${tally[kind]}`).join(', ')
  return `<svg viewBox="0 0 ${width} ${height}" height="${height}" preserveAspectRatio="none" role="img" aria-label="${label}">${rects.join('')}</svg>`
}

/** The trace from beginning to end: the share of differing operations in every part, by kind. */
export function courseChart(course: Report['course']): string {
  const { tallies, stretch } = course
  if (tallies.length < 2) return ''
  const [width, height] = [1000, 120]
  const step = width / tallies.length
  const bars = tallies.flatMap((tally, i) => {
    let y = height
    return kinds.slice(1).map((kind) => {
      const h = (tally[kind] / Math.max(1, tally.operations)) * height
      if (h === 0) return ''
      y -= h
      return `<rect class="s-${kind}" x="${(i * step).toFixed(2)}" y="${y.toFixed(2)}" width="${Math.max(0.6, step - 0.8).toFixed(2)}" height="${h.toFixed(2)}"><title>operations ${(i * stretch + 1).toLocaleString('en')} to ${(i * stretch + tally.operations).toLocaleString('en')}: ${tally[kind]} ${kind} of ${tally.operations}</title></rect>`
    })
  })
  const total = sum(tallies.map((tally) => tally.operations)).toLocaleString('en')
  const grid = [0, 0.5, 1].map(
    (part) =>
      `<line x1="0" x2="${width}" y1="${height * part + 0.5}" y2="${height * part + 0.5}" stroke="var(--line)"/>`,
  )
  const times = [0, 0.25, 0.5, 0.75].flatMap((part) => {
    const t = course.times?.[Math.floor(part * tallies.length)]
    return t === undefined ? [] : [timeText(t)]
  })
  const chart = `<svg viewBox="0 0 ${width} ${height}" height="${height}" preserveAspectRatio="none" role="img" aria-label="share of operations that differ along the trace, by time">${grid.join('')}${bars.join('')}</svg>`
  return `<div class="course"><span class="top">100 %</span>${chart}${axis(times, `${total} operations`)}</div>`
}

/** Labels below a chart, as text of the page, so that their size does not depend on the width of the chart. The last one is at the end. */
function axis(labels: readonly string[], end: string): string {
  const quarters = labels.map((label, i) => `<span${i % 2 === 1 ? ' class="mid"' : ''}>${label}</span>`)
  return `<div class="axis">${quarters.join('')}<span class="end">${end}</span></div>`
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}

/** The accesses of each server under both placements, one bar below the other. */
export function loadChart(
  { before, after, accesses }: NonNullable<Report['placement']>,
  names: readonly [string, string],
): string {
  const most = Math.max(1, ...before, ...after)
  const rows = before.map((count, server) => {
    const bars = [count, after[server] ?? 0].map((n, side) => {
      const share = ((100 * n) / accesses).toFixed(1)
      return `<div class="load"><span>${side === 0 ? `server ${server}` : ''}</span><svg viewBox="0 0 1000 10" height="12" preserveAspectRatio="none" aria-hidden="true"><rect class="${side === 0 ? 's-same' : 's-announced'}" width="${((n / most) * 1000).toFixed(0)}" height="10"/></svg><span class="n">${share} %</span></div>`
    })
    return bars.join('')
  })
  return `<div class="loads" role="img" aria-label="share of the calls by server">${rows.join('')}</div><p class="quiet"><span class="dot s-same"></span>${names[0]} &nbsp; <span class="dot s-announced"></span>${names[1]}</p>`
}

/** The times at which servers seem to have been down, or are assumed to be down, on the time of the trace. */
export function outageChart({ foundOutages, supposedOutages, trace }: Report): string {
  const all = [
    ...foundOutages.map((outage) => ({ ...outage, kind: 'differs', title: 'found' })),
    ...(supposedOutages?.outages ?? []).map((outage) => ({
      ...outage,
      kind: 'announced',
      title: 'supposed',
    })),
  ]
  if (all.length === 0 || trace.seconds <= 0) return ''
  const [width, height] = [1000, 16]
  const servers = [...new Set(all.map(({ server }) => server))].sort((a, b) => a - b)
  const x = (t: number) => (Math.min(t, trace.seconds) / trace.seconds) * width
  const rows = servers.map((server) => {
    const bars = all
      .filter((outage) => outage.server === server)
      .map(
        ({ from, to, kind, title }) =>
          `<rect class="s-${kind}" x="${x(from).toFixed(1)}" width="${Math.max(3, x(to) - x(from)).toFixed(1)}" height="${height}"><title>server ${server}, ${title}: ${timeText(from)} to ${timeText(to)}</title></rect>`,
      )
    const line = `<line x1="0" x2="${width}" y1="${height / 2}" y2="${height / 2}" stroke="var(--line)"/>`
    return `<span>server ${server}</span><svg viewBox="0 0 ${width} ${height}" height="${height}" preserveAspectRatio="none" aria-hidden="true">${line}${bars.join('')}</svg>`
  })
  return `<div class="outages" role="img" aria-label="servers that are down, by time">${rows.join('')}<span></span>${axis(['0 s'], timeText(trace.seconds))}</div>`
}
