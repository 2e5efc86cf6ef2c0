/** One operation as readable text: the call as Python text, both outcomes abridged. */
import type { TypedJson } from '../../values/index.js'
import type { AuditedOperation, Verdict } from '../compare/differ.js'
import type { Outcome } from '../compare/outcome.js'
import { abridge, pythonText } from './abridge.js'
import type { Finding } from './report.js'

/** The readable form of one operation. */
export function finding(operation: AuditedOperation, verdict: Verdict): Finding {
  const { line, t, client, at } = operation
  return {
    line,
    t,
    client,
    call: callText(operation.call, operation.args, operation.kwargs),
    ...(at === undefined ? {} : { at }),
    compat: abridgeOutcome(operation.compat),
    strict: abridgeOutcome(operation.strict),
    impact: verdict.impact,
    explanations: verdict.explanations,
  }
}

export function abridgeOutcome(outcome: Outcome): Outcome {
  if ('result' in outcome) return { result: abridge(outcome.result) }
  const { refused, ...raises } = outcome.raises
  const { message = '' } = raises
  return { raises: message.length <= 300 ? raises : { ...raises, message: `${message.slice(0, 300)}…` } }
}

export function callText(
  call: string,
  args: readonly TypedJson[],
  kwargs: Readonly<Record<string, TypedJson>>,
): string {
  const words = [
    ...args.map(pythonText),
    ...Object.entries(kwargs).map(([name, value]) => `${name}=${pythonText(value)}`),
  ]
  const text = `${call}(${words.join(', ')})`
  return text.length > 240 ? `${text.slice(0, 240)}…` : text
}
