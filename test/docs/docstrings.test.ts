/**
 * Every symbol that a door of the package exports says what it is, and so does every method of its classes. Of strict and hashing
 * also what can be checked by reading: errors, source, units of time.
 */
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
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
]
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)

it('has a docstring for every public symbol', { timeout: 120_000 }, () => {
  const adapters = ['adapters/keyv.ts', 'adapters/unstorage.ts']
  const doors = ['index.ts', ...adapters, ...rooms.map((room) => join(room, 'index.ts'))].map((file) =>
    join(root, 'src', file),
  )
  const program = ts.createProgram(doors, options)
  const checker = program.getTypeChecker()
  const missing = new Set<string>()
  const documented = (symbol: ts.Symbol) =>
    symbol.getDocumentationComment(checker).length > 0 || symbol.getJsDocTags(checker).length > 0
  const where = (symbol: ts.Symbol) => {
    const [declaration] = symbol.declarations ?? []
    return declaration?.getSourceFile().fileName.replace(`${root}/`, '') ?? ''
  }
  const own = (symbol: ts.Symbol) => where(symbol).startsWith('src/')
  for (const door of doors) {
    for (const exported of checker.getExportsOfModule(
      checker.getSymbolAtLocation(program.getSourceFile(door)!)!,
    )) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      if (!own(symbol) || symbol.flags & ts.SymbolFlags.ValueModule) continue
      if (!documented(symbol)) missing.add(`${where(symbol)}: ${symbol.name}`)
      if (!(symbol.flags & ts.SymbolFlags.Class)) continue
      for (const [, member] of symbol.members ?? []) {
        const [declaration] = member.declarations ?? []
        if (!declaration || !ts.isMethodDeclaration(declaration)) continue
        const hidden =
          ts.isPrivateIdentifier(declaration.name) ||
          ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)
        if (!hidden && !documented(member)) missing.add(`${where(symbol)}: ${symbol.name}.${member.name}`)
      }
    }
  }
  expect([...missing].sort()).toEqual([])
})

describe('strict and hashing', () => {
  const doors = ['strict', 'hashing'].map((room) => join(root, 'src', room, 'index.ts'))
  const program = ts.createProgram(doors, options)
  const checker = program.getTypeChecker()
  const exported = doors.flatMap((door) =>
    checker
      .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(door)!)!)
      .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)),
  )
  const text = (symbol: ts.Symbol) =>
    [
      ts.displayPartsToString(symbol.getDocumentationComment(checker)),
      ...symbol.getJsDocTags(checker).map(({ name, text }) => `@${name} ${ts.displayPartsToString(text)}`),
    ].join(' ')
  const SOURCE = /docs\/reference\/\w|fixtures\/\w|https?:\/\/|RFC \d/
  /** Those that a caller sees, inherited ones included. */
  const methods = (symbol: ts.Symbol) =>
    checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).flatMap((member) => {
      const [declaration] = member.declarations ?? []
      if (!declaration || !ts.isMethodDeclaration(declaration)) return []
      const hidden =
        ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)
      return hidden || !/\/src\//.test(declaration.getSourceFile().fileName) ? [] : [{ member, declaration }]
    })
  const client = exported.find(({ name }) => name === 'Client')!
  const operations = methods(client).filter(({ declaration }) =>
    /\/client\.ts$/.test(declaration.getSourceFile().fileName),
  )

  it('every operation of the client that can reject says with what', () => {
    const rejecting = operations.filter(({ member, declaration }) => {
      const result = checker.getReturnTypeOfSignature(checker.getSignatureFromDeclaration(declaration)!)
      return result.symbol?.name === 'Promise' && !/asyncDispose/.test(member.name)
    })
    expect(rejecting.length).toBeGreaterThan(20)
    const silent = rejecting.filter(({ member }) => !/@throws \S/.test(text(member)))
    expect(silent.map(({ member }) => member.name)).toEqual([])
  })

  it('every operation of the client names its source', () => {
    // Python's mapping helpers stand together under one source; the rest is JavaScript's own.
    const own = /^(getItem|setItem|deleteItem|has|toString|__@asyncDispose.*)$/
    const silent = operations.filter(({ member }) => !own.test(member.name) && !SOURCE.test(text(member)))
    expect(silent.map(({ member }) => member.name)).toEqual([])
  })

  it('every function and table names its source, or the head of its file does', () => {
    const silent = exported.filter((symbol) => {
      if (!(symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Variable | ts.SymbolFlags.Class)))
        return false
      const [declaration] = symbol.declarations!
      const head = /^\/\*\*[\s\S]*?\*\//.exec(declaration!.getSourceFile().text)?.[0] ?? ''
      return !SOURCE.test(text(symbol)) && !SOURCE.test(head)
    })
    expect(silent.map(({ name }) => name)).toEqual([])
  })

  it('every option that is a time says seconds or milliseconds', () => {
    let timed = 0
    const TIME = /time|delay|interval|wait|(^|[a-z])ttl/i
    const silent = exported.flatMap((symbol) => {
      if (!(symbol.flags & ts.SymbolFlags.Interface)) return []
      return checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).flatMap((property) => {
        const [declaration] = property.declarations ?? []
        if (!declaration || !ts.isPropertySignature(declaration) || !TIME.test(property.name)) return []
        const type = checker.getNonNullableType(checker.getTypeOfSymbol(property))
        timed++
        const number = type.flags & ts.TypeFlags.NumberLike || /\bTime\b/.test(declaration.type!.getText())
        const said = `${text(property)} ${/^Time( \| undefined)?$/.test(declaration.type!.getText()) ? 'seconds' : ''}`
        return number && !/seconds/.test(said) ? [`${symbol.name}.${property.name}`] : []
      })
    })
    expect(timed).toBeGreaterThan(3)
    expect(silent).toEqual([])
  })
})
