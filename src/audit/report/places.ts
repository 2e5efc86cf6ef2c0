/** Call sites as files and lines, where they are written that way. */

/** `app/views.py:31` @returns undefined for a dotted name and everything else */
export function filePlace(at: string): { readonly file: string; readonly line: number } | undefined {
  const [, file, line] = /^(.+\.\w+):(\d+)$/.exec(at) ?? []
  const number = Number(line)
  if (file === undefined || !(number >= 1)) return undefined
  return { file: file.replaceAll('\\', '/'), line: number }
}
