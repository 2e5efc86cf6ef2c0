/** Commands and replies without the keys that a sample leaves out. */
import type { Part } from '../capture/index.js'

/** @returns undefined when no key is left; all parts when there is no key */
export function onlySampled(
  parts: readonly Part[],
  sampled: (key: string) => boolean,
): readonly Part[] | undefined {
  const isLeftOut = (part: Part) => part.kind === 'key' && !sampled(part.bytes.toString('latin1'))
  if (!parts.some(isLeftOut)) return parts
  const kept = groups(parts)
    .filter((group) => !group.some(isLeftOut))
    .flat()
  return kept.some((part) => part.kind === 'key') ? kept : undefined
}

/** A group is the parts that belong to one key: the blank before it, the VALUE line and data of its item, or its packet. */
function groups(parts: readonly Part[]): readonly Part[][] {
  if (parts.some((part) => part.kind === 'header')) return cutBefore(parts, (part) => part.kind === 'header')
  const first = parts[0]
  const isReply = first?.kind === 'plain' && first.bytes.toString('latin1', 0, 6) === 'VALUE '
  if (isReply)
    return cutBefore(
      parts,
      (part) => part.kind === 'plain' && /^(VALUE |END)/.test(part.bytes.toString('latin1', 0, 6)),
    )
  // `get a b`: the verb is a separate group, each further key includes the blank before it.
  const [verb, ...rest] = parts
  const keys = rest.filter((part) => part.kind === 'key').length
  if (!verb || keys < 2) return [[...parts]]
  const words = verb.kind === 'plain' ? verb.bytes.toString('latin1').trimEnd() : ''
  const blank: Part = { kind: 'plain', bytes: Buffer.from(' ') }
  const end: Part = { kind: 'plain', bytes: Buffer.from('\r\n') }
  return [
    [{ kind: 'plain', bytes: Buffer.from(words, 'latin1') }],
    ...rest.flatMap((part) => (part.kind === 'key' ? [[blank, part]] : [])),
    [end],
  ]
}

function cutBefore(parts: readonly Part[], begins: (part: Part) => boolean): Part[][] {
  const found: Part[][] = []
  for (const part of parts) {
    if (begins(part) || found.length === 0) found.push([])
    found.at(-1)!.push(part)
  }
  return found
}
