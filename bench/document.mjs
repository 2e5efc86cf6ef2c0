// node bench/document.mjs [NAME…]: copies the results for the targets from bench/results/NAME.md (default: latest) into docs/performance.md,
// and all of it to bench/tables/; `divergence` goes to docs/performance-method.md.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail, root } from '../scripts/setup.mjs'

const tables = join(import.meta.dirname, 'tables')
const names = process.argv.length > 2 ? process.argv.slice(2) : ['latest']
const divergence = names[0] === 'divergence'
const document = join(root, 'docs', divergence ? 'performance-method.md' : 'performance.md')
const place = divergence ? 'table of divergence events' : 'table'
const BEGIN = `<!-- the ${place}: written by bench/document.mjs -->`
const END = `<!-- end of the ${place} -->`
const text = readFileSync(document, 'utf8')
const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
if (begin < 0 || end < begin) fail(`${document} has no ${BEGIN} … ${END}`)
const shown = names.map(divergence ? (name) => readFileSync(result(name, 'md'), 'utf8').trim() : summary)
writeFileSync(
  document,
  `${text.slice(0, begin + BEGIN.length)}\n\n${shown.join('\n\n')}\n\n${text.slice(end)}`,
)

/** The facts of the run and its targets; every other figure is behind a link. */
function summary(name) {
  mkdirSync(tables, { recursive: true })
  for (const kind of ['md', 'json'])
    if (existsSync(result(name, kind))) copyFileSync(result(name, kind), join(tables, `${name}.${kind}`))
  const [facts, ...sections] = readFileSync(result(name, 'md'), 'utf8')
    .trim()
    .split(/\n+(?=### )/)
  const targets = sections.find((section) => section.startsWith('### Against')) ?? ''
  const versions = /Node [\d.]+, memcached [\d.]+/.exec(facts)?.[0] ?? name
  return [
    `### ${versions}`,
    facts,
    targets.slice(targets.indexOf('\n')).trim(),
    `[Every figure of this run](../bench/tables/${name}.md)`,
  ].join('\n\n')
}

function result(name, kind) {
  const path = join(import.meta.dirname, 'results', `${name}.${kind}`)
  if (kind === 'md' && !existsSync(path))
    fail(`there is no bench/results/${name}.md: run the benchmark with --out ${name} first`)
  return path
}
