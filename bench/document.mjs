// node bench/document.mjs [NAME]: copies bench/results/NAME.md (default: latest) into docs/performance.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, root } from '../scripts/setup.mjs'

const BEGIN = '<!-- the table: written by bench/document.mjs -->'
const END = '<!-- end of the table -->'

const name = process.argv[2] ?? 'latest'
const results = join(import.meta.dirname, 'results', `${name}.md`)
const document = join(root, 'docs', 'performance.md')
if (!existsSync(results))
  fail(`there is no bench/results/${name}.md: run the benchmark with --out ${name} first`)
const text = readFileSync(document, 'utf8')
const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
if (begin < 0 || end < begin) fail(`docs/performance.md has no ${BEGIN} … ${END}`)
const table = readFileSync(results, 'utf8').trim()
writeFileSync(document, `${text.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${text.slice(end)}`)
