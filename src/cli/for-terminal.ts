/** Texts of the commands for a narrow terminal. In a pipe or a file they stay as they are. */

import { fitted } from '../ground/printable.js'

/** The text with its long lines broken between words, if standard output is a terminal. */
export function forTerminal(text: string): string {
  const { columns } = process.stdout
  return columns === undefined ? text : fitted(text, columns)
}
