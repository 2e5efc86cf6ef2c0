// The public API of each entry point, as text: test/api/<entry point>.api.md. A change of the public API is a change of these files, so
// that it is visible in a review. `npm run api` writes them; `npm run check` compares them (`--check`).
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureBuild, ensureDependencies, fail, root } from '../setup.mjs'

ensureDependencies()
ensureBuild()
const { Extractor, ExtractorConfig } = await import('@microsoft/api-extractor')

const check = process.argv.includes('--check')
const reports = join(root, 'test', 'api')
const scratch = join(root, '.cache', 'api')
for (const folder of [reports, scratch]) mkdirSync(folder, { recursive: true })

const { exports: doors } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const changed = []
for (const [door, { types }] of Object.entries(doors)) {
  // The main entry point re-exports all the others.
  if (types === undefined || door === '.') continue
  const name = door.slice(2)
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, types),
      compiler: { tsconfigFilePath: join(root, 'tsconfig.json') },
      newlineKind: 'lf',
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: reports,
        reportTempFolder: scratch,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        // Docstrings are checked by test/docs/docstrings.test.ts, which knows this package's own rules for them.
        tsdocMessageReporting: { default: { logLevel: 'none' } },
        extractorMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  })
  const result = Extractor.invoke(config, {
    localBuild: !check,
    messageCallback: (message) => {
      message.handled = message.logLevel !== 'error'
    },
  })
  if (result.apiReportChanged) changed.push(name)
}
if (check && changed.length > 0)
  fail(
    `the public API of ${changed.join(', ')} is not what test/api says: run npm run api, and look at the difference`,
  )
console.log(changed.length > 0 ? `Written: ${changed.join(', ')}` : 'The public API is what test/api says.')
