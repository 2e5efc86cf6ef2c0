// Compiles src/ to dist/: ES modules, type declarations, source maps.
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, tool } from './setup.mjs'

const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })
tool('typescript/bin/tsc', ['-p', 'tsconfig.build.json'])
const bin = join(dist, 'cli', 'main.js')
if (existsSync(bin)) chmodSync(bin, 0o755)
writeFileSync(join(dist, '.built'), '')
