/**
 * The tracing channel memshim:command: what subscribers hear of strict and compat, and the bridge of docs/tracing.md with
 * OpenTelemetry's own SDK.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Client as CompatClient } from '../../src/compat/index.js'
import { type EmbeddedServer, startServer } from '../../src/server/index.js'
import { Client, type CommandAttributes, type CommandEvent } from '../../src/strict/index.js'

const names = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const
/** By its name, as somebody who does not import memshim finds it. */
const channel: TracingChannel<unknown, CommandEvent> = tracingChannel('memshim:command')

interface Heard {
  readonly name: (typeof names)[number]
  readonly event: CommandEvent
}

/** Everything that is told while `work` runs. */
async function heardDuring(work: () => Promise<unknown>): Promise<Heard[]> {
  const heard: Heard[] = []
  const listeners = names.map(
    (name) => [name, (event: unknown) => heard.push({ name, event: event as CommandEvent })] as const,
  )
  for (const [name, listener] of listeners) channel[name].subscribe(listener)
  try {
    await work()
  } finally {
    for (const [name, listener] of listeners) channel[name].unsubscribe(listener)
  }
  return heard
}

const attributesOf = async (work: () => Promise<unknown>) =>
  (await heardDuring(work)).filter(({ name }) => name === 'asyncEnd').map(({ event }) => event.attributes)

let server: EmbeddedServer
let mc: Client
beforeEach(async () => {
  server = await startServer()
  mc = new Client([server.address], { behaviors: { _poll_timeout: 1000 } })
})
afterEach(async () => {
  mc.disconnectAll()
  await server.stop()
})

const place = () => ({ 'server.address': '127.0.0.1', 'server.port': server.port })
const peer = () => ({ 'network.peer.address': '127.0.0.1', 'network.peer.port': server.port })

describe('strict', () => {
  it('start, end, asyncStart, asyncEnd of one object', async () => {
    const heard = await heardDuring(() => mc.set('k', 'secret'))
    expect(heard.map(({ name }) => name)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(new Set(heard.map(({ event }) => event)).size).toBe(1)
    const [{ event }] = heard as [Heard]
    expect(event.operation).toBe('set')
    expect(event.attributes).toEqual({
      'db.system.name': 'memcached',
      'db.operation.name': 'set',
      'db.query.text': 'set k ?',
      ...place(),
      ...peer(),
    })
    await heardDuring(() => mc.get('k')).then((all) => expect(JSON.stringify(all)).not.toContain('secret'))
  })

  it('each command by its name, keys as text, soft refusals with their code', async () => {
    const told = await attributesOf(async () => {
      await mc.get('é')
      await mc.add('k', 1)
      await mc.add('k', 2)
      await mc.incr('k', 5)
      await mc.touch('k', 10)
      await mc.delete('k')
      await mc.delete('k')
      await mc.flushAll()
      await mc.getStats()
    })
    expect(
      told.map((one) => [one['db.operation.name'], one['db.query.text'], one['db.response.status_code']]),
    ).toEqual([
      ['get', 'get é', undefined],
      ['add', 'add k ?', undefined],
      ['add', 'add k ?', '14'],
      ['incr', 'incr k ?', undefined],
      ['touch', 'touch k ?', undefined],
      ['delete', 'delete k', undefined],
      ['delete', 'delete k', '16'],
      ['flush_all', 'flush_all', undefined],
      ['stats', 'stats', undefined],
    ])
    expect(told.some((one) => 'error.type' in one)).toBe(false)
  })

  it('getMulti over two servers is two exchanges, each with its number of keys', async () => {
    await using other = await startServer()
    const both = new Client([server.address, other.address], { behaviors: { namespace: 'ns:' } })
    const keys = Array.from({ length: 30 }, (_, i) => `k${i}`)
    const on = [0, 1].map((index) => keys.filter((key) => both.hash(key) === index))
    const told = await attributesOf(() => both.getMulti(keys))
    both.disconnectAll()
    expect(
      told.map((one) => [one['server.port'], one['db.operation.name'], one['db.operation.batch.size']]),
    ).toEqual(
      expect.arrayContaining([
        [server.port, 'BATCH get', on[0]!.length],
        [other.port, 'BATCH get', on[1]!.length],
      ]),
    )
    expect(told).toHaveLength(2)
    expect(told[0]!['db.namespace']).toBe('ns:')
    expect(told[0]!['db.query.text']).toMatch(/^get( ns:k\d+){10} …$/)
  })

  it('an error reply that get hides is published with its code', async () => {
    await server.fault({ fault: 'reply', bytes: 'SERVER_ERROR busy\r\n' })
    let value: unknown = 'nothing yet'
    const [told] = await attributesOf(async () => {
      value = await mc.get('k')
    })
    expect(value).toBeUndefined()
    expect(told).toMatchObject({ 'db.response.status_code': '10' })
    expect(told).not.toHaveProperty('error.type')
  })

  it('refused, timed out, answered by an error, aborted', async () => {
    const failing = async (call: () => Promise<unknown>) => {
      const heard = await heardDuring(() => call().catch(() => undefined))
      expect(heard.map(({ name }) => name)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
      const { event } = heard.at(-1)!
      expect(event.error).toBeInstanceOf(Error)
      return [event.attributes['error.type'], event.attributes['db.response.status_code']]
    }
    await server.fault({ fault: 'reply', bytes: 'CLIENT_ERROR no\r\n' })
    expect(await failing(() => mc.set('k', 1))).toEqual(['ClientError', '9'])
    await server.fault({ fault: 'stall' })
    expect(await failing(() => mc.get('k'))).toEqual(['timeout', '31'])
    await server.fault({ fault: 'stall' })
    const slow = mc.get('k', undefined, { signal: AbortSignal.timeout(30) })
    await expect(slow).rejects.toThrow('aborted due to timeout')
    await server.fault({ fault: 'stall' })
    expect(await failing(() => mc.get('k', undefined, { signal: AbortSignal.timeout(30) }))).toEqual([
      'TimeoutError',
      undefined,
    ])
    await server.fault({ fault: 'down' })
    mc.disconnectAll()
    expect(await failing(() => mc.get('k'))).toEqual(['ConnectionError', '3'])
    // Waiting for its retry nobody asks it anything.
    expect(await heardDuring(() => mc.get('k').catch(() => undefined))).toEqual([])
  })

  it('runs the exchange in the stores that were bound to start', async () => {
    const storage = new AsyncLocalStorage<string>()
    channel.start.bindStore(storage, ({ operation }: CommandEvent) => `span of ${operation}`)
    const seen: (string | undefined)[] = []
    const listen = () => seen.push(storage.getStore())
    channel.end.subscribe(listen)
    channel.asyncEnd.subscribe(listen)
    await mc.get('k')
    expect(seen).toEqual(['span of get', 'span of get'])
    expect(storage.getStore()).toBeUndefined()
    channel.end.unsubscribe(listen)
    channel.asyncEnd.unsubscribe(listen)
    channel.start.unbindStore(storage)
  })

  it('a subscriber that throws breaks no call', async () => {
    const others = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    const reported: string[] = []
    process.on('uncaughtException', (error) => reported.push(error.message))
    const listeners = names.map((name) => [name, () => { throw new Error(`in ${name}`) }] as const) // biome-ignore format: short
    for (const [name, listener] of listeners) channel[name].subscribe(listener)
    try {
      expect(await mc.set('k', 1)).toBe(true)
      expect(await mc.get('k')).toBe(1)
      await server.fault({ fault: 'down' })
      mc.disconnectAll()
      await expect(mc.get('k')).rejects.toMatchObject({ retcode: 3 })
      await new Promise((resolve) => setImmediate(resolve))
    } finally {
      for (const [name, listener] of listeners) channel[name].unsubscribe(listener)
      process.removeAllListeners('uncaughtException')
      for (const other of others) process.on('uncaughtException', other)
    }
    expect(new Set(reported)).toEqual(new Set(names.map((name) => `in ${name}`)))
  })

  it('binary: the same words, with events of their own for replicas', async () => {
    await using other = await startServer()
    const both = new Client([server.address, other.address], { binary: true, behaviors: { num_replicas: 1 } })
    const heard = await heardDuring(() => both.set('k', 1).catch(() => false))
    both.disconnectAll()
    const started = heard.filter(({ name }) => name === 'start').map(({ event }) => event.attributes)
    expect(started.map((one) => one['db.operation.name'])).toEqual(['set', 'set'])
    expect(new Set(started.map((one) => one['server.port']))).toEqual(new Set([server.port, other.port]))
  })

  it('a Unix socket is named by its path', async () => {
    const path = join(process.env.TMPDIR ?? '/tmp', `memshim-tracing-${process.pid}.sock`)
    await using local = await startServer({ path })
    const client = new Client([local.address])
    const [told] = await attributesOf(() => client.get('k'))
    client.disconnectAll()
    expect(told).toEqual({
      'db.system.name': 'memcached',
      'db.operation.name': 'get',
      'db.query.text': 'get k',
      'server.address': path,
    })
  })
})

describe('compat', () => {
  it.each([{}, { switches: { desynchronisation: 'python-memcached' } }] as const)(
    'every exchange with a server: %j',
    async (options) => {
      const client = new CompatClient([server.address], { emulate: 'python-memcached-1.59', ...options })
      const told = await attributesOf(async () => {
        await client.set('a', 1)
        await client.get('a')
        await client.getMulti(['a', 'b'])
        await client.deleteMulti(['a', 'b'])
        await client.incr('missing')
      })
      client.disconnectAll()
      expect(told.map((one) => [one['db.operation.name'], one['db.response.status_code']])).toEqual([
        ['connect', undefined],
        ['set', undefined],
        ['get', undefined],
        ['BATCH get', undefined],
        ['delete', undefined],
        ['delete', '16'],
        ['incr', '16'],
      ])
      expect(told.at(-1)).toMatchObject({ ...place(), ...peer() })
    },
  )

  it('a server that cannot be connected, although the caller sees a miss', async () => {
    await server.fault({ fault: 'down' })
    const client = new CompatClient([server.address], { emulate: 'python-memcached-1.59' })
    let value: unknown
    const [told, ...more] = await attributesOf(async () => {
      value = await client.get('a')
    })
    expect(value).toBeNull()
    expect(more).toEqual([])
    expect(told).toEqual({
      'db.system.name': 'memcached',
      'db.operation.name': 'connect',
      ...place(),
      'error.type': 'connect',
    })
  })

  it.each(['get', 'set'] as const)(
    'an error that the caller of %s does not see, as strict tells it',
    async (method) => {
      const client = new CompatClient([server.address], { emulate: 'python-memcached-1.59' })
      const call = (who: Client | CompatClient) => (method === 'get' ? who.get('a') : who.set('a', 1))
      const told: CommandAttributes[] = []
      for (const who of [mc, client]) {
        await who.set('a', 1)
        await server.fault({ fault: 'close' })
        const [one, ...more] = await attributesOf(async () => {
          const outcome = call(who)
          if (who === mc) await expect(outcome).rejects.toThrow()
          else expect(await outcome).toBe(method === 'get' ? null : 0)
        })
        expect(more).toEqual([])
        told.push(one!)
      }
      client.disconnectAll()
      expect(told[1]).toMatchObject({
        'error.type': expect.any(String),
        'db.response.status_code': expect.any(String),
      })
      const { 'network.peer.port': _, ...strict } = told[0]!
      expect(told[1]).toMatchObject(strict)
    },
  )
})

/** docs/tracing.md's own code, on the sources. */
async function subscribeAsDocumented(): Promise<void> {
  const root = join(import.meta.dirname, '..', '..')
  const page = readFileSync(join(root, 'docs', 'tracing.md'), 'utf8')
  const [, code] = /^```ts\n([\s\S]*?)^```$/m.exec(page.slice(page.indexOf('## OpenTelemetry')))!
  const folder = join(root, '.cache', 'tracing')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `bridge-${process.pid}.ts`)
  writeFileSync(file, code!.replace("'memshim/strict'", "'../../src/strict/index.js'"))
  try {
    await import(/* @vite-ignore */ file)
  } finally {
    rmSync(file)
  }
}

it('the bridge of docs/tracing.md gives OpenTelemetry spans and durations', async () => {
  const spans = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  trace.setGlobalTracerProvider(provider)
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  const points = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: points, exportIntervalMillis: 3_600_000 })
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  await subscribeAsDocumented()

  const parent = trace.getTracer('application').startSpan('GET /basket')
  await context.with(trace.setSpan(context.active(), parent), async () => {
    await mc.set('k', 1)
    await server.fault({ fault: 'down' })
    mc.disconnectAll()
    await expect(mc.get('k')).rejects.toMatchObject({ retcode: 3 })
  })
  parent.end()

  const finished = spans.getFinishedSpans().filter(({ name }) => name !== 'GET /basket')
  expect(finished.map(({ name }) => name)).toEqual([
    `set 127.0.0.1:${server.port}`,
    `get 127.0.0.1:${server.port}`,
  ])
  for (const span of finished) expect(span.parentSpanContext?.spanId).toBe(parent.spanContext().spanId)
  expect(finished[1]).toMatchObject({
    kind: 2,
    status: { code: 2 },
    attributes: { 'error.type': 'ConnectionError', 'db.response.status_code': '3', 'db.query.text': 'get k' },
  })
  expect(finished[1]!.events.map(({ name }) => name)).toEqual(['exception'])

  await reader.forceFlush()
  const [metric] = points.getMetrics().at(-1)!.scopeMetrics[0]!.metrics
  expect(metric!.descriptor).toMatchObject({ name: 'db.client.operation.duration', unit: 's' })
  expect(metric!.dataPoints.map(({ attributes }) => attributes['db.operation.name'])).toEqual(['set', 'get'])
  await reader.shutdown()
})
