/**
 * The library that a command looks like. Source: docs/reference/python-memcached.md#16.1, docs/reference/pylibmc.md#11.
 * Most commands look alike in every library; the differences of the others are enough to guess the library.
 */
import type { Command } from '../capture/index.js'
import { cell, versionsOf } from '../rules/index.js'

export type Look = 'python-memcached' | 'pylibmc' | 'other'

/** @returns undefined when every library sends the command in this form */
export function lookOf({ protocol, verb, parts, opaque }: Command): Look | undefined {
  if (protocol === 'meta') return 'other'
  if (protocol === 'binary') {
    // libmemcached counts in the first two bytes of the opaque.
    return opaque !== undefined && opaque !== 0 && (opaque & 0xffff) === 0 ? 'pylibmc' : 'other'
  }
  const head = parts.find((part, i) => part.kind === 'plain' && (i > 0 || parts.length === 1))
  if (head?.kind !== 'plain') return undefined
  const line = head.bytes.toString('latin1')
  const blank = line.endsWith(' \r\n')
  if (verb === 'flush_all' || verb === 'stats') return blank ? 'pylibmc' : undefined
  if (!parts.some((part) => part.kind === 'value'))
    return verb === 'delete' && blank ? 'python-memcached' : undefined
  if (blank) return 'python-memcached'
  // pylibmc writes integers with flag 4, pymemcache with flag 2.
  const value = parts.find((part) => part.kind === 'value')
  return value?.kind === 'value' && value.flags === 4 ? 'pylibmc' : undefined
}

/** The versions before and after the change that a stored text shows: whether it is written with flag 16. */
const versions = versionsOf('python-memcached')
const firstWithFlag = versions.find((version) => cell('text', 'python-memcached', version) === 'flagged')!
const lastWithoutFlag = versions[versions.indexOf(firstWithFlag) - 1]!

/** Counts the looks of all commands, and other evidence for a version. */
export class Looks {
  readonly counts: Record<Look, number> = { 'python-memcached': 0, pylibmc: 0, other: 0 }
  private textFlags = 0

  add(command: Command): void {
    const look = lookOf(command)
    if (look) this.counts[look]++
    if (command.parts.some((part) => part.kind === 'value' && (part.flags & 16) !== 0)) this.textFlags++
  }

  /** Undefined when no command shows it. */
  get library(): { readonly name: 'python-memcached' | 'pylibmc'; readonly version: string } | undefined {
    const { 'python-memcached': memcache, pylibmc } = this.counts
    if (memcache === 0 && pylibmc === 0) return undefined
    if (pylibmc > memcache) return { name: 'pylibmc', version: '1.6.3' }
    return { name: 'python-memcached', version: this.textFlags > 0 ? firstWithFlag : lastWithoutFlag }
  }
}
