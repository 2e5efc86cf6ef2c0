/** Text for a terminal: control characters would move its cursor or change its colours. */

const controls = /[\x00-\x1f\x7f-\x9f]/g

/** The text with escapes such as `\x1b`. @param characters global; default: the control characters of both halves */
export function printable(text: string, characters: RegExp = controls): string {
  return text.replace(characters, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** The lines of a text with at most `width` characters each, all indented. Longer words are cut. */
export function wrapped(text: string, width: number, indent = 0): string[] {
  const room = width - indent
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    for (const piece of pieces(printable(word), room)) {
      if (line !== '' && line.length + 1 + piece.length > room) {
        lines.push(line)
        line = piece
      } else line = line === '' ? piece : `${line} ${piece}`
    }
  }
  lines.push(line)
  return lines.map((text) => ' '.repeat(indent) + text)
}

function pieces(word: string, room: number): string[] {
  if (word.length <= room) return [word]
  return Array.from({ length: Math.ceil(word.length / room) }, (_, i) => word.slice(i * room, (i + 1) * room))
}

/** Two columns or more between a name and its text. */
const nameOfLine = /^\s*\S.*?\s{2,}(?=\S)/

/** The text with lines of at most `width` characters. What belongs to a name at the beginning of a line stays in its own column. */
export function fitted(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => (line.length <= width ? [line] : brokenLine(line, width)))
    .join('\n')
}

function brokenLine(line: string, width: number): string[] {
  const [before] = [nameOfLine.exec(line)?.[0], /^\s*/.exec(line)![0]].filter(
    (start) => start !== undefined && start.length <= width / 2,
  )
  const start = before ?? ''
  const [first = '', ...rest] = wrapped(line.slice(start.length), width, start.length)
  return [start + first.slice(start.length), ...rest]
}
