/** The OpenTelemetry example of docs/migrating.md, as it is written there, against the real SDK and a real divergence. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import ts from 'typescript'
import { afterAll, expect, test } from 'vitest'
import { Client, type CounterMeasurement, DivergenceLog, metricsChannel } from '../../src/compat/index.js'
import { EmbeddedServer } from '../../src/server/index.js'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, '.cache', 'opentelemetry')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function example(): string {
  const page = readFileSync(join(root, 'docs', 'migrating.md'), 'utf8')
  const [code] = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].flatMap(([, text]) =>
    text!.includes('@opentelemetry/api') ? [text!] : [],
  )
  const room = pathToFileURL(join(root, 'src', 'compat', 'index.ts')).href
  return ts.transpileModule(code!.replace("'memshim/compat'", JSON.stringify(room)), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  }).outputText
}

test('a divergence arrives as a sum with its attributes', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'example.mjs')
  writeFileSync(file, example())
  await import(/* @vite-ignore */ file)

  const server = await new EmbeddedServer().start()
  const client = new Client([server.address], { emulate: 'python-memcached-1.62' })
  await client.set('k', 'v')
  await client.touch('k', 60)
  await client.touch('k', 60)
  await server.fault({ fault: 'close' })
  await client.get('k')
  await reader.forceFlush()
  client.disconnectAll()
  await server.stop()
  await reader.shutdown()

  const [metric] = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics))
  expect(metric!.descriptor).toMatchObject({ name: 'memshim.divergences', unit: '{divergence}' })
  expect(metric!.dataPointType).toBe(DataPointType.SUM)
  const [host, port] = server.address.split(':')
  expect(metric!.dataPoints.map(({ attributes, value }) => ({ ...attributes, value }))).toEqual([
    {
      'db.system.name': 'memcached',
      'db.operation.name': 'touch',
      'memshim.switch': 'return-values',
      value: 2,
    },
    {
      'db.system.name': 'memcached',
      'db.operation.name': 'get',
      'memshim.switch': 'errors',
      'server.address': host,
      'server.port': Number(port),
      value: 1,
    },
  ])
})

test('names and servers of all forms; nothing is published without a subscriber', () => {
  const heard: CounterMeasurement[] = []
  const hear = (message: unknown): number => heard.push(message as CounterMeasurement)
  const log = new DivergenceLog()
  const divergence = {
    switch: 'failover',
    operation: 'getMulti',
    compat: 'x',
    strict: 'y',
    advice: '',
    docs: '',
  } as const
  log.record(divergence)
  metricsChannel.subscribe(hear)
  for (const server of ['[::1]:11211', '/tmp/memcached.sock']) log.record({ ...divergence, server })
  metricsChannel.unsubscribe(hear)
  log.record(divergence)
  expect(heard.map(({ attributes }) => attributes)).toMatchObject([
    { 'db.operation.name': 'get_multi', 'server.address': '::1', 'server.port': 11211 },
    { 'server.address': '/tmp/memcached.sock' },
  ])
  expect(log.counts()).toMatchObject([{ count: 4 }])
})
