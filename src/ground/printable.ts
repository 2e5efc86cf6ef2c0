/** Text for a terminal: control characters would move its cursor or change its colours. */

const controls = /[\x00-\x1f\x7f-\x9f]/g

/** The text with escapes such as `\x1b`. @param characters global; default: the control characters of both halves */
export function printable(text: string, characters: RegExp = controls): string {
  return text.replace(characters, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
