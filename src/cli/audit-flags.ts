/** The options of `memshim audit`: their combinations are checked, and become the options of the library. */
import type { Command } from 'commander'
import {
  type AuditOptions,
  knownPresets,
  knownSwitches,
  type Outage,
  pymemcacheFindingNames,
} from '../audit/index.js'
import { listed, refuseIdle, UsageError } from './usage.js'

/** The options as they were typed. */
export interface Flags {
  readonly preset?: string
  readonly from?: string
  readonly to?: string
  readonly embedded?: string
  readonly serverVersion?: string
  readonly servers?: string[]
  readonly flush?: boolean
  readonly json?: string
  readonly html?: string
  readonly markdown?: string
  readonly junit?: string
  readonly sarif?: string
  readonly rows?: string | undefined
  readonly allRows?: boolean
  readonly baseline?: string
  readonly reduce?: string
  readonly out?: string
  readonly threads?: string
  readonly sample?: string
  readonly oneApplication?: boolean
  readonly failOn?: string[]
  readonly verify?: boolean
  readonly behavior?: Record<string, number | string>
  readonly negativeTimeout?: string
  readonly framework?: string
  readonly examples?: string
  readonly quiet?: boolean
  readonly binary?: boolean
  readonly outage?: Outage[]
  readonly repaired?: boolean
  readonly option?: Record<string, string | number | boolean | null>
}

/** The attributes of options on the report of one audit. */
const ofOneReport = ['html', 'markdown', 'junit', 'sarif', 'rows', 'baseline', 'failOn', 'quiet', 'examples']

/** @throws UsageError for typed options that would do nothing */
function checkCombination(flags: Flags, command: Command): void {
  const other = flags.reduce !== undefined ? '--reduce' : flags.to === 'all' ? '--to all' : undefined
  if (other !== undefined)
    refuseIdle(command, ofOneReport, `is about the report of one audit, which ${other} does not make`)
  if (flags.reduce !== undefined && flags.to === 'all')
    throw new UsageError('--reduce is about one target: name it with --to')
  if (flags.reduce === undefined)
    refuseIdle(command, ['out'], 'is where --reduce writes its files: add --reduce FINDING')
  else refuseIdle(command, ['verify', 'framework'], 'is about a report, which --reduce does not make')
  if (flags.rows === undefined) refuseIdle(command, ['allRows'], 'needs --rows FILE')
  if (!flags.servers) refuseIdle(command, ['flush'], 'is about --servers, and none are named')
}

/** @throws UsageError for values and combinations that are not possible */
export function checked(flags: Flags, command: Command): AuditOptions {
  checkCombination(flags, command)
  const { preset, negativeTimeout, failOn = [], servers } = flags
  if (preset !== undefined && !knownPresets().includes(preset)) {
    throw new UsageError(`--preset ${preset} is not known: choose one of ${listed(knownPresets())}`)
  }
  if (negativeTimeout !== undefined && negativeTimeout !== 'zero' && negativeTimeout !== 'send') {
    throw new UsageError(`--negative-timeout ${negativeTimeout} is not known: zero or send`)
  }
  const names = [
    'any',
    'unexplained',
    'risk',
    ...knownSwitches().map((info) => info.name),
    ...pymemcacheFindingNames,
  ]
  for (const name of failOn) {
    if (!names.includes(name))
      throw new UsageError(`--fail-on ${name} is not known: choose from ${listed(names)}`)
  }
  if (servers && !flags.flush) {
    throw new UsageError('--servers empties the servers it uses (flush_all): add --flush to allow that')
  }
  return {
    ...(preset === undefined ? {} : { preset }),
    ...(flags.from === undefined ? {} : { from: flags.from }),
    ...(flags.to === undefined || flags.to === 'all' ? {} : { to: flags.to }),
    ...(servers ? { servers } : {}),
    ...(flags.embedded === undefined ? {} : { embedded: wholeNumber('--embedded', flags.embedded, 1) }),
    ...(flags.serverVersion === undefined ? {} : { serverVersion: flags.serverVersion }),
    ...(flags.behavior ? { behaviors: flags.behavior } : {}),
    ...(negativeTimeout === undefined ? {} : { negativeTimeout }),
    ...(flags.outage ? { outages: flags.outage } : {}),
    ...(flags.option ? { targetOptions: flags.option } : {}),
    ...(flags.binary ? { binary: true } : {}),
    ...(flags.repaired ? { calls: 'repaired' as const } : {}),
    ...(flags.framework === undefined ? {} : { framework: flags.framework }),
    ...(flags.sample === undefined ? {} : { sample: share(flags.sample) }),
    ...(flags.threads === undefined ? {} : { threads: wholeNumber('--threads', flags.threads, 1) as 1 | 2 }),
    verify: flags.verify ?? false,
  }
}

function share(text: string): number {
  const value = Number(text)
  if (value > 0 && value < 1) return value
  throw new UsageError(`--sample ${text}: a part of the keys above 0 and below 1 is needed, e.g. 0.1`)
}

export function wholeNumber(option: string, text: string, least: number): number {
  if (!/^\d+$/.test(text) || Number(text) < least)
    throw new UsageError(`${option} ${text}: a number from ${least} is needed`)
  return Number(text)
}

export function behavior(
  text: string,
  earlier: Record<string, number | string> = {},
): Record<string, number | string> {
  const [, name, value] = /^([a-z_]+)=(.+)$/.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new UsageError(`--behavior ${text}: name=value is needed, e.g. ketama=1`)
  return { ...earlier, [name]: /^-?\d+$/.test(value) ? Number(value) : value }
}

export function targetOption(
  text: string,
  earlier: Record<string, string | number | boolean | null> = {},
): Record<string, string | number | boolean | null> {
  const [, name, value] = /^([a-z_]+)=(.+)$/.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new UsageError(`--option ${text}: name=value is needed, e.g. default_noreply=false`)
  return { ...earlier, [name]: optionValue(name, value) }
}

const words: Readonly<Record<string, boolean>> = { true: true, True: true, false: false, False: false }

function optionValue(name: string, value: string): string | number | boolean | null {
  if (Object.hasOwn(words, value)) return words[value]!
  if (/^none$/i.test(value)) return name === 'serde' ? 'none' : null
  return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value
}
