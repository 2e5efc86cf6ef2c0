/** Every TypeScript example in README.md and docs/ compiles against the sources as they are. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { afterAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const folder = join(root, '.cache', 'examples')
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('reference'))
    .map((name) => join('docs', name)),
]

/** Names that examples take for granted, by how they use them. */
const given: readonly (readonly [use: RegExp, declaration: string])[] = [
  [/\bClient\(/, "import { Client } from 'memshim/compat'"],
  [/\bClient\(servers/, 'declare const servers: string[]'],
  [/\bserver\.fault/, "declare const server: import('memshim/server').EmbeddedServer"],
]

const declarations = (code: string): string =>
  code.includes('import ')
    ? ''
    : given
        .filter(([use]) => use.test(code))
        .map(([, declaration]) => `${declaration}\n`)
        .join('')

function examples(document: string): { title: string; code: string }[] {
  const text = readFileSync(join(root, document), 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => ({
    title: `${document}, line ${text.slice(0, match.index).split('\n').length}`,
    code: match[1]!,
  }))
}

const { compilerOptions } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'))
const rooms = [
  'strict',
  'compat',
  'pymemcache',
  'hashing',
  'values',
  'audit',
  'server',
  'migration',
  'frameworks',
  'record',
  'scan',
  'doctor',
]
const { options } = ts.convertCompilerOptionsFromJson(
  {
    ...compilerOptions,
    noUnusedLocals: false,
    rootDir: root,
    paths: {
      memshim: [join(root, 'src', 'index.ts')],
      ...Object.fromEntries(
        ['keyv', 'unstorage'].map((name) => [
          `memshim/${name}`,
          [join(root, 'src', 'adapters', `${name}.ts`)],
        ]),
      ),
      ...Object.fromEntries(rooms.map((room) => [`memshim/${room}`, [join(root, 'src', room, 'index.ts')]])),
    },
  },
  root,
)

describe('examples of the documentation', () => {
  const all = documents.flatMap(examples)
  it('there are some for every room of the README', () => {
    for (const room of ['strict', 'compat', 'pymemcache', 'audit'])
      expect(
        all.some(({ title, code }) => title.startsWith('README') && code.includes(`'memshim/${room}'`)),
      ).toBe(true)
  })

  it('all compile', () => {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const files = all.map(({ code }, index) => {
      const file = join(folder, `example-${index}.ts`)
      // What the example imports of its reader's own application is anything.
      const own = code.replace(
        /^import \{ (\w+) \} from '\..*$/m,
        'declare const $1: (...args: unknown[]) => Promise<string>',
      )
      writeFileSync(file, `${declarations(code)}${own}\nexport {}\n`)
      return file
    })
    const program = ts.createProgram(files, options)
    const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
      const index = files.indexOf(file?.fileName ?? '')
      return `${all[index]?.title ?? file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
    expect(problems).toEqual([])
  }, 300_000)
})
