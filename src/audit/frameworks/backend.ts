/** A framework's backend as the target of an audit: the options that it implies, and the keywords that it does not pass on. */
import { shown } from '../../ground/arguments.js'
import { type AuditOptions, AuditOptionsError } from '../options.js'
import { constructorCall } from '../replay/replay.js'
import { callText } from '../report/finding.js'
import type { Finding } from '../report/report.js'
import type { NewEvent, TraceHeader } from '../traces/trace.js'
import { type FrameworkTarget, frameworkTarget } from './clients.js'

/**
 * A backend of a framework as the target means its library, the keywords that it sets, and calls in that library's form, which the
 * framework makes. @throws AuditOptionsError for a framework, version or backend that was not recorded
 */
export function withFrameworkTarget(
  options: AuditOptions,
  header: TraceHeader,
): { readonly options: AuditOptions; readonly framework?: FrameworkTarget } {
  const { to } = options
  if (typeof to !== 'string') return { options }
  let target: FrameworkTarget | undefined
  try {
    target = frameworkTarget(to)
  } catch (error) {
    throw new AuditOptionsError(`to ${shown(to)}: ${(error as Error).message}`)
  }
  if (!target) return { options }
  const { framework, version, library } = target
  return {
    options: {
      ...options,
      to: `${library.name}-${library.version}`,
      ...(library.name === header.library ? {} : { calls: options.calls ?? 'repaired' }),
      ...(library.name === 'pymemcache'
        ? { targetOptions: { ...target.options, ...options.targetOptions } }
        : {}),
      ...(options.framework === undefined &&
      library.name !== header.library &&
      header.frameworks?.[framework] !== undefined
        ? { framework: `${framework}==${version}` }
        : {}),
    },
    framework: target,
  }
}

/** The note of the report about the target. */
export function backendNote(
  { framework, version, backend, library }: FrameworkTarget,
  { targetOptions }: AuditOptions,
): string {
  const { class: made, ...keywords } = targetOptions ?? {}
  const said = Object.entries(keywords).map(([name, value]) => `${name}=${pythonWord(value)}`)
  const client = library.name === 'pymemcache' ? `, ${made ?? 'Client'}(${said.join(', ')})` : ''
  return `the target is the backend ${backend} of ${framework} ${version}: ${library.name} ${library.version}${client}; its calls are shown as calls of that client`
}

/** Keywords of the application's constructor that the backend does not pass on. */
export interface LostKeywords {
  readonly notes: readonly string[]
  /** The constructor raises for at least one of them. */
  readonly raises: boolean
}

export function lostKeywords(
  { framework, version, backend, keywords }: FrameworkTarget,
  kwargs: NewEvent['kwargs'],
): LostKeywords {
  const lost = Object.entries(keywords).filter(([name]) => name in kwargs)
  return {
    notes: lost.map(
      ([name, outcome]) =>
        `${name}: the backend ${backend} of ${framework} ${version} ${outcome === 'ignored' ? 'silently ignores it' : `raises ${outcome.slice(outcome.indexOf('.') + 1)} for it`}; pymemcache has timeout, connect_timeout, retry_attempts and dead_timeout instead, and no timeout unless one is given`,
    ),
    raises: lost.some(([, outcome]) => outcome !== 'ignored'),
  }
}

/** The constructor call of the application, and the backend's treatment of its keywords. */
export function constructionFinding(
  { line, t, client, at, servers, kwargs }: NewEvent,
  { notes, raises }: LostKeywords,
): Finding {
  return {
    line,
    t,
    client,
    call: callText(constructorCall, [servers], kwargs),
    ...(at === undefined ? {} : { at }),
    compat: { result: null },
    strict: raises
      ? { raises: { class: 'builtins.TypeError', message: notes.join('; ') } }
      : { result: null },
    impact: 'state',
    explanations: [],
  }
}

function pythonWord(value: unknown): string {
  if (value === null) return 'None'
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value)
}
