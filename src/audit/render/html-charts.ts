/** Charts of the HTML report as inline SVG: stacked bars of the four kinds of operations. */
import type { Report, Tally } from '../report/report.js'

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

/** The trace from beginning to end: the share of every stretch that does not stay the same, by kind. */
export function courseChart(course: Report['course']): string {
  const { tallies, stretch } = course
  if (tallies.length < 2) return ''
  const [width, height, foot] = [1000, 120, 18]
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
  return `<svg viewBox="0 0 ${width} ${height + foot}" role="img" aria-label="share of operations that differ along the trace">${grid.join('')}${bars.join('')}<text x="0" y="${height + 14}">first operation</text><text x="${width}" y="${height + 14}" text-anchor="end">operation ${total}</text><text x="4" y="12">100 %</text></svg>`
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0)
}
