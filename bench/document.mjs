// node bench/document.mjs [NAME…]: copies bench/results/NAME.md (default: latest) into docs/performance.md; `divergence` has a
// place of its own there.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, root } from '../scripts/setup.mjs'

const document = join(root, 'docs', 'performance.md')
const names = process.argv.length > 2 ? process.argv.slice(2) : ['latest']
const place = names[0] === 'divergence' ? 'table of divergence events' : 'table'
const BEGIN = `<!-- the ${place}: written by bench/document.mjs -->`
const END = `<!-- end of the ${place} -->`
const text = readFileSync(document, 'utf8')
const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
if (begin < 0 || end < begin) fail(`docs/performance.md has no ${BEGIN} … ${END}`)
const tables = names.map(result).join('\n\n')
writeFileSync(document, `${text.slice(0, begin + BEGIN.length)}\n\n${tables}\n\n${text.slice(end)}`)

function result(name) {
  const path = join(import.meta.dirname, 'results', `${name}.md`)
  if (!existsSync(path))
    fail(`there is no bench/results/${name}.md: run the benchmark with --out ${name} first`)
  return readFileSync(path, 'utf8').trim()
}
