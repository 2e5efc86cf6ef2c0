/** Header and events of a trace from its lines, checked field by field. Format: docs/formats.md, "Traces". */
import { type Fault, FaultError, parseFault } from '../../server/index.js'
import { PyTuple } from '../../values/index.js'
import { isRecord } from './json.js'
import { Row } from './row.js'
import {
  type CallEvent,
  type Construction,
  pymemcacheClasses,
  type TracedApplication,
  type TracedServer,
  type TraceEvent,
  type TraceHeader,
  traceFormat,
} from './trace.js'

/** Most servers that a header or a constructor may name. */
const mostServers = 1000
/** Seconds. More than thirty years are a typing error. */
const latestTime = 1e9
/** Unix time in seconds: the year 5138. */
const latestEpoch = 1e11

type Writable<T> = { -readonly [name in keyof T]: T[name] }

/** @throws TraceError naming line and field. */
export function parseHeader(text: string, source?: string): TraceHeader {
  const row = new Row(text, 1, source)
  const format = row.text('format')
  if (format !== traceFormat) {
    const known = format.startsWith('memshim-trace/')
      ? 'a newer trace format than this version of memshim can read'
      : 'not a trace'
    throw row.error('format', `${known}: "${format}" (expected "${traceFormat}")`)
  }
  const library = row.text('library')
  if (library !== 'python-memcached' && library !== 'pylibmc' && library !== 'pymemcache') {
    throw row.error('library', `"${library}" is not known (python-memcached, pylibmc, pymemcache)`)
  }
  const servers = row.number('servers')
  if (!Number.isInteger(servers) || servers < 1 || servers > mostServers) {
    throw row.error('servers', `${servers} is not a number of servers from 1 to ${mostServers}`)
  }
  return {
    format,
    library,
    version: row.text('version'),
    servers,
    ...row.optionalTexts('python', 'source', 'recorded', 'server_version'),
    ...('epoch' in row.fields ? { epoch: row.numberUpTo('epoch', latestEpoch) } : {}),
    ...row.recording(),
    ...('application' in row.fields ? { application: applicationIn(row.record('application'), source) } : {}),
  }
}

function applicationIn(fields: Readonly<Record<string, unknown>>, source?: string): TracedApplication {
  return new Row(fields, 1, source, 'application.').optionalTexts('name', 'program', 'folder', 'arguments')
}

/** Attributes of python-memcached's client: the tracer writes their reads as calls without arguments. */
const attributes = new Set(['servers', 'dead_retry', 'socket_timeout'])

/** Exceptions of the client libraries, which say nothing about pickling. */
const ownErrors = /^(memcache|pylibmc|pymemcache)\./

/** Older tracers wrote an object that cannot be pickled without the exception: it is the outcome of the call. */
function addPicklingError(value: unknown, raised: string): void {
  if (typeof value !== 'object' || value === null) return
  if ('$unpicklable' in value) {
    if (!('$raises' in value)) Object.assign(value, { $raises: raised })
  } else for (const part of Object.values(value)) addPicklingError(part, raised)
}

/** @throws TraceError naming line and field. */
export function parseEvent(text: string, line: number, source?: string): TraceEvent {
  const row = new Row(text, line, source)
  const { fields } = row
  const t = row.numberUpTo('t', latestTime)
  if ('call' in fields) {
    // Literal fields for the most frequent line, because spread objects are slow to make and to read.
    const call: Writable<CallEvent> = {
      kind: 'call',
      line,
      t,
      client: row.text('client'),
      call: row.text('call'),
      args: 'args' in fields ? row.list('args') : [],
      kwargs: 'kwargs' in fields ? row.record('kwargs') : {},
    }
    if ('result' in fields || 'raises' in fields) call.outcome = row.outcome().outcome!
    if (call.outcome && 'raises' in call.outcome && !ownErrors.test(call.outcome.raises.class))
      for (const value of [...call.args, ...Object.values(call.kwargs)])
        addPicklingError(value, call.outcome.raises.class)
    if (attributes.has(call.call) && (call.args.length > 0 || Object.keys(call.kwargs).length > 0))
      throw row.error('args', `must be empty: ${call.call} is the read of an attribute, not a call`)
    if (fields.at !== undefined && fields.at !== null) call.at = row.text('at')
    if ('via' in fields) call.via = row.texts('via')
    return call
  }
  if ('new' in fields) {
    const made = new Row(row.record('new'), line, source, 'new.')
    const servers = made.list('servers')
    if (servers.length > mostServers)
      throw made.error('servers', `names ${servers.length} servers, more than ${mostServers}`)
    const wrong = servers.findIndex((spec) => tracedServer(spec) === undefined)
    if (wrong >= 0) throw made.error(`servers[${wrong}]`, 'is neither "host:port" nor ["host:port", weight]')
    return {
      kind: 'new',
      line,
      t,
      client: row.text('client'),
      servers: servers.map((spec) => tracedServer(spec)!),
      ...construction(made, line, source, 'new.'),
      ...row.optionalTexts('at'),
      ...('via' in fields ? { via: row.texts('via') } : {}),
    }
  }
  if ('wire' in fields) {
    const server = row.number('server')
    if (!Number.isInteger(server) || server < 0) throw row.error('server', `${server} is not a server index`)
    const reply = fields.reply
    return {
      kind: 'wire',
      line,
      t,
      client: row.text('client'),
      wire: row.bytes('wire'),
      server,
      ...(reply === undefined ? {} : { reply: reply === null ? null : row.bytes('reply') }),
      ...row.optionalTexts('at'),
    }
  }
  if ('fault' in fields) {
    return { kind: 'fault', line, t, fault: readFault(fields, (field, problem) => row.error(field, problem)) }
  }
  const kinds = Object.keys(fields).filter((name) => !['t', 'client', 'at'].includes(name))
  throw row.error(kinds[0] ?? 'call', 'is not a known event: a line has one of call, new, wire, fault')
}

function construction(
  made: Row,
  line: number,
  source: string | undefined,
  prefix: string,
): Writable<Construction> {
  const found: Writable<Construction> = { kwargs: 'kwargs' in made.fields ? made.record('kwargs') : {} }
  if ('positional' in made.fields) found.positional = made.texts('positional')
  if ('container' in made.fields) found.container = made.text('container')
  if ('iterator' in made.fields) {
    if (typeof made.fields.iterator !== 'boolean') throw made.error('iterator', 'is neither true nor false')
    found.iterator = made.fields.iterator
  }
  if ('class' in made.fields) {
    const name = made.text('class')
    const known = pymemcacheClasses.find((one) => one === name)
    if (!known) throw made.error('class', `"${name}" is not one of ${pymemcacheClasses.join(', ')}`)
    found.class = known
  }
  if ('inner' in made.fields) {
    if (found.class !== 'RetryingClient' || prefix !== 'new.')
      throw made.error('inner', 'is for a RetryingClient alone')
    const inner = `${prefix}inner.`
    found.inner = construction(new Row(made.record('inner'), line, source, inner), line, source, inner)
  }
  return found
}

/** The servers of a `set_servers` call, from typed JSON or the lossless tree; undefined when it is not a list of servers. */
export function tracedServers(value: unknown): readonly TracedServer[] | undefined {
  const list = items(value)
  if (!list || list.length > mostServers) return undefined
  const servers = list.map(tracedServer)
  return servers.every((server) => server !== undefined) ? servers : undefined
}

function tracedServer(spec: unknown): TracedServer | undefined {
  if (typeof spec === 'string') return spec
  const pair = items(spec)
  const [address, weight] = pair ?? []
  return pair?.length === 2 && typeof address === 'string' && typeof weight === 'number'
    ? [address, weight]
    : undefined
}

/** Of a list or tuple. */
function items(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  if (value instanceof PyTuple) return value.items
  if (isRecord(value) && Object.hasOwn(value, '$tuple')) return items(value.$tuple)
  return undefined
}

/** Reads a fault. `fail` makes the error for a wrong one. */
export function readFault(fields: object, fail: (field: string, problem: string) => Error): Fault {
  try {
    return parseFault(fields)
  } catch (error) {
    throw error instanceof FaultError ? fail(error.field, error.problem) : error
  }
}
