// The documentation as a site with a search, in site/: every page of docs/, the references, and the API of every entry point, with llms.txt. Every link
// within the site, and from the pages into the repository, is looked up: a broken one fails.
//
//   npm run docs             then open site/index.html
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { ensureDependencies, fail, root } from '../setup.mjs'

ensureDependencies()
// Not a static import: setup.mjs installs it.
const { Application } = await import('typedoc')

const site = join(root, 'site')
const { version, description, exports: doors } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
/** What people read first, in this order; the other pages follow by name. */
const FIRST = [
  'moving/which-client',
  'moving/sharing',
  'adapters',
  'moving/from-memjs',
  'moving/from-memcached',
  'moving/from-keyv',
  'strict',
  'compat',
  'values',
  'audit',
  'migrating',
]
const pages = readdirSync(join(root, 'docs'), { recursive: true })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.md') && !name.startsWith('reference/'))
  .map((name) => name.slice(0, -3))
const ordered = [
  ...FIRST.filter((name) => pages.includes(name)),
  ...pages.filter((name) => !FIRST.includes(name)),
]
const documents = [
  ...ordered.map((name) => `docs/${name}.md`),
  'docs/reference/*.md',
  'SECURITY.md',
  'CHANGELOG.md',
]

/** The source of each entry point; the main one re-exports all the others. */
const sources = Object.entries(doors).flatMap(([door, { types }]) =>
  types === undefined || door === '.' ? [] : [types.replace('./dist/', 'src/').replace('.d.ts', '.ts')],
)

const application = await Application.bootstrap({
  name: `memshim ${version}`,
  entryPoints: sources,
  projectDocuments: documents,
  readme: 'README.md',
  tsconfig: join(root, 'tsconfig.json'),
  excludeInternal: true,
  excludePrivate: true,
  excludeProtected: true,
  excludeExternals: true,
  disableSources: true,
  searchInComments: true,
  searchInDocuments: true,
  navigation: { includeGroups: false },
  sort: ['kind', 'alphabetical'],
  // A file name like SECURITY.md is not a web address.
  markdownItOptions: { html: true, linkify: false },
  // Links are looked up below, which also knows anchors that are HTML.
  logLevel: 'Error',
})
const project = await application.convert()
if (!project || application.logger.hasErrors()) fail('typedoc failed')
rmSync(site, { recursive: true, force: true })
await application.generateDocs(project, site)

writeFileSync(join(site, 'llms.txt'), llms())
const broken = [...brokenInSite(), ...brokenInPages()]
if (broken.length > 0) fail(`broken links:\n${broken.join('\n')}`)
console.log(`site/index.html: ${ordered.length} pages, ${sources.length} entry points; no broken link`)

/** https://llmstxt.org: what there is, in one page of Markdown. */
function llms() {
  const line = (path, from) => {
    const text = readFileSync(join(root, path), 'utf8')
    const title = /^# (.*)$/m.exec(text)?.[1] ?? from
    return `- [${title}](documents/docs_${from.replaceAll('/', '_')}.html)`
  }
  const api = sources.map((source) => {
    const door = source.replace(/^src\/|\/index\.ts$|\.ts$/g, '').replace('adapters/', '')
    const head = /^\/\*\*\s*([\s\S]*?)\*\//.exec(readFileSync(join(root, source), 'utf8'))?.[1] ?? ''
    const words = head.replace(/\s*\n\s*\*\s*/g, ' ').replace(/^[\s*]*(`?memshim\/\w+`?: )?/, '')
    return `- memshim/${door}: ${words.trim()}`
  })
  return [
    '# memshim',
    '',
    `> ${description}`,
    '',
    '## Doors of the package',
    '',
    ...api,
    '',
    '## Pages',
    '',
    ...ordered.map((name) => line(`docs/${name}.md`, name)),
    '',
    '## Reference: what the real libraries and servers do, measured',
    '',
    ...readdirSync(join(root, 'docs', 'reference'))
      .filter((name) => name.endsWith('.md'))
      .map((name) => line(`docs/reference/${name}`, `reference/${name.slice(0, -3)}`)),
    '',
  ].join('\n')
}

/** Links of every page of the site to files and anchors of the site. */
function brokenInSite() {
  const files = readdirSync(site, { recursive: true }).filter((name) => name.endsWith('.html'))
  const texts = new Map(files.map((name) => [join(site, name), readFileSync(join(site, name), 'utf8')]))
  const anchors = new Map(
    Array.from(texts, ([file, text]) => [
      file,
      new Set([...text.matchAll(/ (?:id|name)="([^"]*)"/g)].map(([, id]) => id)),
    ]),
  )
  const found = []
  for (const [file, text] of texts) {
    for (const [, href] of text.matchAll(/<a [^>]*?href="([^"]*)"/g)) {
      if (/^(https?|mailto):/.test(href)) continue
      const [path, anchor] = href.replaceAll('&amp;', '&').split('#')
      const target = path === '' ? file : resolve(dirname(file), decodeURIComponent(path))
      const known = anchors.get(target)
      if (!known && !existsSync(target)) found.push(`${relative(root, file)}: ${href}`)
      else if (anchor && known && !known.has(decodeURIComponent(anchor)))
        found.push(`${relative(root, file)}: ${href}`)
    }
  }
  return found
}

/** Relative links of the Markdown pages to files of the repository, as people read them there. */
function brokenInPages() {
  const files = [
    'README.md',
    'CONTRIBUTING.md',
    'fixtures/README.md',
    ...documents.filter((name) => !name.includes('*')),
  ]
  return files.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].flatMap(
      ([, link]) =>
        /^(https?|mailto):/.test(link) || existsSync(resolve(root, dirname(file), link))
          ? []
          : [`${file}: ${link}`],
    ),
  )
}
