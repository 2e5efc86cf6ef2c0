/** Every symbol that a door of the package exports says what it is, and so does every method of its classes. */
import { join } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const rooms = ['strict', 'compat', 'hashing', 'values', 'audit', 'server', 'migration', 'frameworks']
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)

it('has a docstring for every public symbol', { timeout: 120_000 }, () => {
  const doors = ['index.ts', ...rooms.map((room) => join(room, 'index.ts'))].map((file) =>
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
          ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)
        if (!hidden && !documented(member)) missing.add(`${where(symbol)}: ${symbol.name}.${member.name}`)
      }
    }
  }
  expect([...missing].sort()).toEqual([])
})
