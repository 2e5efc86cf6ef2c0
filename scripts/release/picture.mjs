// The picture of the audit's HTML report in README.md: docs/media/report.png, from the trace of a real Django application, in a real browser.
//
//   node scripts/release/picture.mjs        needs Chromium: CHROMIUM=/path, or Debian's at /usr/bin/chromium
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureBuild, ensureDependencies, fail, root, run } from '../setup.mjs'

ensureDependencies()
ensureBuild()
const { chromium } = await import('playwright-core')

/** The largest size in bytes, because the picture is in the repository and on the README page. */
const LARGEST = 200_000
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
  (path) => path && existsSync(path),
)
if (!executablePath) fail('no Chromium: set CHROMIUM to its path, or apt-get install chromium')

const report = join(root, 'report', 'django-4.0-cache.html')
const picture = join(root, 'docs', 'media', 'report.png')
for (const folder of [join(root, 'report'), join(root, 'docs', 'media')])
  mkdirSync(folder, { recursive: true })
const trace = join('fixtures', 'traces', 'django-4.0-cache.jsonl.gz')
run(process.execPath, [join('dist', 'cli', 'main.js'), 'audit', trace, '--embedded', '1', '--html', report])

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
const page = await browser.newPage({ viewport: { width: 1100, height: 760 }, colorScheme: 'light' })
await page.goto(pathToFileURL(report).href)
await page.screenshot({ path: picture })
await browser.close()
const { size } = statSync(picture)
if (size > LARGEST) fail(`${picture} has ${size} bytes, more than ${LARGEST}`)
console.log(`docs/media/report.png: ${size} bytes`)
