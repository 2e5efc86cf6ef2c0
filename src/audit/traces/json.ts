/** Limits for the JSON of traces and scenarios, checked before it is traversed. */

/** Levels of lists and objects. Python's own limit for what it writes is about 500. */
export const nestingLimit = 1000

/** Whether lists and objects are nested deeper than `nestingLimit`. */
export function tooDeep(value: unknown, levels = nestingLimit): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const part of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof part === 'object' && part !== null && tooDeep(part, levels - 1)) return true
  }
  return false
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
