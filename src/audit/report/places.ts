/** Call sites that are a file and a line. */

/** `app/views.py:31` @returns undefined for a dotted name or another form */
export function filePlace(at: string): { readonly file: string; readonly line: number } | undefined {
  const [, file, line] = /^(.+\.\w+):(\d+)$/.exec(at) ?? []
  const number = Number(line)
  if (file === undefined || !(number >= 1)) return undefined
  return { file: file.replaceAll('\\', '/'), line: number }
}
