// The main job on a fresh machine: audit the shipped trace of a real application on embedded servers.
import { mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { ensureBuild, ensureDependencies, root, run } from './setup.mjs'

const trace = join('fixtures', 'traces', 'django-4.0-cache.jsonl.gz')

ensureDependencies()
ensureBuild()
mkdirSync(join(root, 'report'), { recursive: true })
const html = join(root, 'report', 'django-4.0-cache.html')
const given = process.argv.slice(2)
const args = given.length > 0 ? given : ['audit', trace, '--embedded', '1', '--html', relative(root, html)]
run(process.execPath, [join('dist', 'cli', 'main.js'), ...args])
