/** The shipped dashboard asks for metrics and labels that the log really writes, and its panels do not lie over each other. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Client, DivergenceLog, type DivergenceRecord, recordsChannel } from '../../src/compat/index.js'
import { startServer } from '../../src/server/index.js'

interface Panel {
  readonly id: number
  readonly title: string
  readonly type: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[]
}

const path = join(import.meta.dirname, '..', '..', 'grafana', 'memshim-divergences.json')
const dashboard = JSON.parse(readFileSync(path, 'utf8')) as { readonly panels: readonly Panel[] }

test('metrics and labels are those of the log; log records say the same', async () => {
  await using server = await startServer()
  const client = new Client([server.address], { emulate: 'python-memcached-1.59' })
  const log = new DivergenceLog({ sampleEvery: 1, recordKeys: true, now: () => 1_795_000_000 })
  const records: DivergenceRecord[] = []
  const heard = (record: unknown) => records.push(record as DivergenceRecord)
  recordsChannel.subscribe(heard)
  const stop = log.attach(client)
  await client.incr('missing')
  stop()
  recordsChannel.unsubscribe(heard)
  client.disconnectAll()

  expect(records).toEqual([
    {
      eventName: 'memshim.divergence',
      timestamp: 1_795_000_000_000,
      severityNumber: 9,
      severityText: 'INFO',
      body: 'incr: None, pylibmc: raises NotFound (16)',
      attributes: expect.objectContaining({
        'db.system.name': 'memcached',
        'db.operation.name': 'incr',
        'memshim.switch': 'missing-counter',
        'memshim.key': 'missing',
      }),
    },
  ])
  const written = new Set(log.prometheus().match(/^memshim_\w+/gm))
  const labels = new Set([...log.prometheus().matchAll(/(\w+)="/g)].map(([, label]) => label))
  labels.add('job')
  const expressions = dashboard.panels.flatMap(({ targets }) => targets)
  for (const { expr, legendFormat } of expressions) {
    for (const name of expr.match(/memshim_\w+/g)!) expect(written).toContain(name)
    const used = [...expr.matchAll(/(\w+)=~/g), ...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(
      ([, label]) => label,
    )
    const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, names]) => names!.split(', '))
    for (const label of [...used, ...grouped]) expect(labels).toContain(label)
  }
})

test('panels have numbers of their own and do not overlap', () => {
  const { panels } = dashboard
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  for (const [i, a] of panels.entries()) {
    expect(a.gridPos.x + a.gridPos.w).toBeLessThanOrEqual(24)
    for (const b of panels.slice(i + 1)) {
      const [p, q] = [a.gridPos, b.gridPos]
      expect(p.x < q.x + q.w && q.x < p.x + p.w && p.y < q.y + q.h && q.y < p.y + p.h).toBe(false)
    }
  }
})
