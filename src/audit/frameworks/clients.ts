/**
 * The clients that the backends of frameworks construct, as targets of an audit: `django-5.1:PyMemcacheCache`. Recorded from the real frameworks by
 * fixtures/record/applications/framework_clients.py.
 */
import { checkText } from '../../ground/arguments.js'
import { versionsOf } from '../../rules/index.js'
import { compareVersions } from '../../rules/version.js'
import type { Library, LibraryName } from '../methods/python-signatures.js'
import type { TargetOptions } from '../pymemcache/options.js'
import recorded from './clients.json' with { type: 'json' }

interface RecordedClient {
  readonly library: LibraryName
  /** The class of pymemcache. */
  readonly class?: string
  readonly options?: TargetOptions
  /** The treatment of python-memcached's keywords that the application configures: `ignored`, or the exception's class. */
  readonly keywords?: Readonly<Record<string, string>>
}

interface RecordedFramework {
  readonly framework: string
  readonly version: string
  readonly backends: Readonly<Record<string, RecordedClient>>
}

const frameworks = recorded.clients as readonly RecordedFramework[]

/** A backend of a framework as the target of a migration. */
export interface FrameworkTarget {
  readonly framework: string
  readonly version: string
  readonly backend: string
  readonly library: Library
  /** pymemcache's keywords that the backend sets. */
  readonly options: TargetOptions
  /** The treatment of keywords that the client does not have: `ignored`, or the exception's class. */
  readonly keywords: Readonly<Record<string, string>>
}

const shortNames: Readonly<Record<string, string>> = { 'dogpile.cache': 'dogpile' }

/** The name of a framework in the name of a target. */
const nameOf = (framework: string): string => shortNames[framework] ?? framework.toLowerCase()

/** Names of targets, the newest recorded version of each framework: `django-5.2:PyMemcacheCache`. */
export function frameworkTargets(): readonly string[] {
  const newest = new Map(frameworks.map((one) => [one.framework, one]))
  return [...newest.values()].flatMap(({ framework, version, backends }) =>
    Object.keys(backends).map((backend) => `${nameOf(framework)}-${version}:${backend}`),
  )
}

/**
 * @param name `django-5.1:PyMemcacheCache`; without a version the newest recorded one that has the backend
 * @returns undefined for a name without a colon
 * @throws TypeError for other types; RangeError naming the frameworks, versions or backends that are known
 */
export function frameworkTarget(name: string): FrameworkTarget | undefined {
  checkText('name', name)
  const [, given, wanted, backend] = /^([\w.]+?(?:-[a-z]+)?)(?:-(\d[\d.]*))?:(.*)$/i.exec(name) ?? []
  if (given === undefined || backend === undefined) return undefined
  const lower = given.toLowerCase()
  const all = frameworks.filter(
    ({ framework }) => nameOf(framework) === lower || framework.toLowerCase() === lower,
  )
  if (all.length === 0)
    throw new RangeError(
      `framework ${given} is not one of ${[...new Set(frameworks.map(({ framework }) => nameOf(framework)))].join(', ')}`,
    )
  const versions = all
    .filter(({ version }) => wanted === undefined || version === wanted || version.startsWith(`${wanted}.`))
    .sort((a, b) => compareVersions(a.version, b.version))
  if (versions.length === 0)
    throw new RangeError(
      `version ${wanted} of ${given} was not recorded; there are ${all.map(({ version }) => version).join(', ')}`,
    )
  const found = versions.findLast(({ backends }) => Object.hasOwn(backends, backend))
  if (!found) {
    const known = [...new Set(versions.flatMap(({ backends }) => Object.keys(backends)))]
    throw new RangeError(
      `backend ${backend} is none of ${given} ${versions.at(-1)!.version}, which has ${known.join(', ')}`,
    )
  }
  const { library, class: made, options = {}, keywords = {} } = found.backends[backend]!
  return {
    framework: found.framework,
    version: found.version,
    backend,
    library: { name: library, version: versionsOf(library).at(-1)! },
    keywords,
    options: made === undefined ? options : { ...options, class: made },
  }
}
